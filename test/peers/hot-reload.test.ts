import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../e2e/support/eventually.ts';
import { type BareTwin, startBareTwin } from '../support/bare-twin.ts';
import { type ReleasedSecret, servedOn } from '../support/releases.ts';
import { untilServed } from '../support/until-served.ts';
import type { DebianProgram } from './settings.ts';
import { Peers } from './peers.ts';
import { Handshakes } from '../../bin/twin/load/handshakes.ts';
import { freePort } from './servers/free-port.ts';
import { startServer } from './servers/server.ts';

const NAME = 'web.internal.example';
const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'hot-reload');
const ROTATIONS = 8;

const peers = new Peers();
let bare: BareTwin;
beforeAll(async () => {
  bare = await startBareTwin(NAME);
});
afterAll(async () => {
  await peers.stop();
  await bare.close();
});

/** The sidecar of the example, which reads the twin's Secrets Manager. */
function startSidecar(
  secret: ReleasedSecret,
  { folder, port, pidFile, signal }: { folder: string; port: number; pidFile: string; signal: string },
): ChildProcess {
  const env = {
    SECRET_ID: secret.arn,
    DIRECTORY: folder,
    PORT: String(port),
    PID_FILE: join(folder, pidFile),
    SIGNAL: signal,
    POLL_SECONDS: '0.05',
    ...bare.environment,
  };
  return peers.start(process.execPath, [join(EXAMPLE, 'sidecar.mjs')], join(folder, 'sidecar.log'), { env });
}

/** The example's configuration, with this run's folder and port in the place of the container's. */
function configure(file: string, folder: string, port: number): string {
  const text = readFileSync(join(EXAMPLE, file), 'utf8');
  const adapted = text
    .replaceAll('/certificates', folder)
    .replace(/(listen |bind ):?8443/, (_all, word: string) => `${word}127.0.0.1:${port}`);
  if (adapted === text || !adapted.includes(String(port))) throw new Error(`${file} names neither folder nor port`);
  const path = join(folder, file);
  writeFileSync(path, adapted);
  return path;
}

interface Server {
  readonly program: DebianProgram;
  readonly file: string;
  readonly pidFile: string;
  readonly signal: string;
  readonly parameters: (configuration: string, folder: string) => readonly string[];
}

const SERVERS: readonly (readonly [string, Server])[] = [
  [
    'nginx',
    {
      program: peers.programs.nginx,
      file: 'nginx.conf',
      pidFile: 'nginx.pid',
      signal: 'SIGHUP',
      parameters: (configuration, folder) => ['-c', configuration, '-p', folder, '-e', 'stderr'],
    },
  ],
  [
    'HAProxy',
    {
      program: peers.programs.haproxy,
      file: 'haproxy.cfg',
      pidFile: 'haproxy.pid',
      signal: 'SIGUSR2',
      parameters: (configuration, folder) => ['-W', '-p', join(folder, 'haproxy.pid'), '-f', configuration],
    },
  ],
];

it.each(SERVERS)(
  '%s, fed by the sidecar, fails no handshake while its certificate is rotated under load',
  async (name, server) => {
    const secret = await bare.newSecret(name);
    const first = await secret.next();
    const [folder, port] = [peers.newFolder(name), await freePort()];
    startSidecar(secret, { folder, port, pidFile: server.pidFile, signal: server.signal });
    await eventually('the first version is there', async () =>
      readFileSync(join(folder, 'sidecar.log'), 'utf8').includes('is current') ? true : undefined,
    );
    const { executable, libraries } = server.program;
    const running = await startServer(peers, {
      program: executable,
      parameters: server.parameters(configure(server.file, folder, port), folder),
      folder,
      env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
      serves: () => servedOn(port, NAME),
    });
    expect(await servedOn(port, NAME)).toBe(first.sha256Fingerprint);

    const load = new Handshakes(
      [{ name: 'web', port, serverName: NAME, trustAnchors: [secret.bundleOf(first)['ca.crt']] }],
      4,
    );
    for (let rotation = 0; rotation < ROTATIONS; rotation++)
      await untilServed(load, (await secret.next()).sha256Fingerprint);
    const { total, failed, failures } = await load.stop();
    expect(failures, running.log().slice(-2_000)).toEqual([]);
    expect(failed).toBe(0);
    expect(total).toBeGreaterThan(ROTATIONS);
    // The key of a version that is out of use does not stay, but for the one before, which may just be read.
    const { version } = await secret.next();
    await eventually('old versions are gone', async () => {
      const versions = readdirSync(join(folder, 'versions'));
      return versions.length === 2 && versions.includes(version) ? true : undefined;
    });
    expect(readdirSync(join(folder, 'current')).toSorted()).toEqual(['ca.crt', 'tls.crt', 'tls.key', 'tls.pem']);
  },
);
