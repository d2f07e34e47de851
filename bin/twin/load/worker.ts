// The clients, in a thread of their own: the servers that they ask are in the main one.
import { parentPort, workerData } from 'node:worker_threads';
import { Handshakes } from './handshakes.ts';
import type { LoadSettings, Order, Report } from './load.ts';

const { targets, atATime } = workerData as LoadSettings;
const handshakes = new Handshakes(targets, atATime);

async function obey({ id, what }: Order): Promise<void> {
  const tally = what === 'lap' ? await handshakes.lap() : await handshakes.stop();
  parentPort?.postMessage({ id, tally } satisfies Report, []);
}

parentPort?.on('message', (order: Order) => void obey(order));
