import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Handshakes } from '../../bin/twin/load/handshakes.ts';
import { startBareTwin } from '../support/bare-twin.ts';
import { servedOn } from '../support/releases.ts';
import { untilServed } from '../support/until-served.ts';

const NAME = 'shop.internal.example';
const SERVER = join(import.meta.dirname, '..', '..', 'examples', 'ecs-fargate', 'service', 'server.mjs');

it('the server of the Fargate example serves what its secret held at its start, and what it holds after SIGHUP', async () => {
  const bare = await startBareTwin(NAME);
  onTestFinished(() => bare.close());
  const secret = await bare.newSecret('shop');
  const first = await secret.next();
  const server = spawn(process.execPath, [SERVER], {
    env: { CERTIFICATE_SECRET: secret.arn, HOST: '127.0.0.1', PORT: '0', ...bare.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  onTestFinished(async () => {
    server.kill('SIGKILL');
    await ended;
  });
  const [said] = (await once(createInterface(server.stdout), 'line')) as [string];
  const port = Number(/^listening on (\d+)$/.exec(said)?.[1]);
  expect(await servedOn(port, NAME)).toBe(first.sha256Fingerprint);

  const second = await secret.next();
  expect(await servedOn(port, NAME)).toBe(first.sha256Fingerprint);
  const load = new Handshakes(
    [{ name: 'shop', port, serverName: NAME, trustAnchors: [secret.bundleOf(first)['ca.crt']] }],
    2,
  );
  server.kill('SIGHUP');
  await untilServed(load, second.sha256Fingerprint);
  expect(await load.stop()).toMatchObject({ failed: 0 });

  server.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});
