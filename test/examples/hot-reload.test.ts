import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Handshakes } from '../../bin/twin/load/handshakes.ts';
import { freePort } from '../peers/servers/free-port.ts';
import { type BareTwin, startBareTwin } from '../support/bare-twin.ts';
import { servedOn } from '../support/releases.ts';
import { untilServed } from '../support/until-served.ts';

const NAME = 'web.internal.example';
const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'hot-reload');

let bare: BareTwin;
let server: ChildProcess | undefined;
beforeAll(async () => {
  bare = await startBareTwin(NAME);
});
afterAll(async () => {
  if (server !== undefined) {
    server.kill();
    await once(server, 'exit');
  }
  await bare.close();
});

it('the Node server of the example fails no handshake while its certificate is rotated under load', async () => {
  const secret = await bare.newSecret('web');
  const first = await secret.next();
  const port = await freePort();
  server = spawn(process.execPath, [join(EXAMPLE, 'server.mjs')], {
    env: {
      SECRET_ID: secret.arn,
      PORT: String(port),
      HOST: '127.0.0.1',
      POLL_SECONDS: '0.05',
      ...bare.environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (server.stdout === null) throw new Error('no output');
  await once(server.stdout, 'data');
  expect(await servedOn(port, NAME)).toBe(first.sha256Fingerprint);

  const load = new Handshakes(
    [{ name: 'web', port, serverName: NAME, trustAnchors: [secret.bundleOf(first)['ca.crt']] }],
    4,
  );
  for (let rotation = 0; rotation < 5; rotation++) await untilServed(load, (await secret.next()).sha256Fingerprint);
  const { total, failed, failures } = await load.stop();
  expect(failures).toEqual([]);
  expect(failed).toBe(0);
  expect(total).toBeGreaterThan(10);
});
