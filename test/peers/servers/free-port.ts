import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below the range that systems take the ports of outgoing connections from: none of those can be in the way. */
const [LOWEST, HIGHEST] = [20_000, 32_000] as const;
const LOOPBACK = '127.0.0.1';
const TRIES = 50;

/** A port of loopback that nobody has, neither for TCP nor for UDP. Servers here must be told theirs before they start. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port;
  }
  throw new Error(`no port of ${LOOPBACK} from ${LOWEST} to ${HIGHEST} is free; ${TRIES} were tried`);
}

const isFreeForTcp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, LOOPBACK, () => server.close(() => resolve(true)));
  });

const isFreeForUdp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, LOOPBACK, () => socket.close(() => resolve(true)));
  });
