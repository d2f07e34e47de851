import type { ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CannotRun } from './cannot-run.ts';
import type { Programs } from './programs.ts';

export interface EmulatorOptions {
  readonly python: string;
  readonly port: number;
  /** Where the functions find AWS Private CA, which the emulator does not have. */
  readonly privateCaEndpoint: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface Emulator {
  readonly endpoint: string;
  readonly certificateFile: string;
  readonly logFile: string;
  readonly process: ChildProcess;
}

const READY_WITHIN_MS = 30_000;

/**
 * MiniStack as it is most like AWS: with TLS, because the bootstrap bucket denies plain HTTP, and with AUTH, because then the
 * roles of the template decide what its functions may do.
 */
export async function startEmulator(programs: Programs, options: EmulatorOptions): Promise<Emulator> {
  const { folder, port, env } = options;
  const certificateFile = join(folder, 'emulator.crt');
  const keyFile = join(folder, 'emulator.key');
  await makeCertificate(programs, certificateFile, keyFile, env);
  const logFile = join(folder, 'emulator.log');
  const log = openSync(logFile, 'a');
  const child = programs.start(options.python, [join(import.meta.dirname, 'corrected_ministack.py')], {
    stdio: ['ignore', log, log],
    cwd: folder,
    env: {
      ...env,
      LAMBDA_EXECUTOR: 'local',
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      // No container is ever started, whatever runs on this machine.
      DOCKER_HOST: 'unix:///nonexistent',
      AUTH: 'true',
      USE_SSL: '1',
      MINISTACK_SSL_CERT: certificateFile,
      MINISTACK_SSL_KEY: keyFile,
      NODE_EXTRA_CA_CERTS: certificateFile,
      AWS_ENDPOINT_URL_ACM_PCA: options.privateCaEndpoint,
    },
  });
  const endpoint = `https://127.0.0.1:${port}`;
  await ready(child, endpoint, await readFile(certificateFile), logFile);
  return { endpoint, certificateFile, logFile, process: child };
}

async function makeCertificate(
  programs: Programs,
  certificateFile: string,
  keyFile: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { code, output } = await programs.run(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost
     -addext subjectAltName=DNS:localhost,IP:127.0.0.1`
      .split(/\s+/)
      .concat('-keyout', keyFile, '-out', certificateFile),
    { env },
  );
  if (code === 0) return;
  throw new CannotRun(
    `The end-to-end run needs the openssl command, 1.1.1 or later; it ended with ${code}:\n${output.trim()}`,
  );
}

async function ready(child: ChildProcess, endpoint: string, ca: Buffer, logFile: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let answer = '';
  while (answer !== '200') {
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null || Date.now() > deadline) {
      const log = (await readFile(logFile, 'utf8')).split('\n').slice(-20).join('\n');
      const what = ended === null ? `was not ready after ${READY_WITHIN_MS / 1_000} s` : `ended with ${ended}`;
      throw new CannotRun(`The AWS emulator ${what}. Its log ends:\n${log}`);
    }
    await wait(100);
    answer = await statusOf(`${endpoint}/_ministack/health`, ca);
  }
}

function statusOf(url: string, ca: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(url, { ca, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', ({ message }) => resolve(message));
    outgoing.end();
  });
}

/** A port of loopback that nobody has: `wanted`, or any. */
export function claimPort(wanted: number | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', ({ message }) =>
      reject(
        new CannotRun(
          `Port ${wanted} of 127.0.0.1 cannot be had (${message}). Name another with --port, or none: then a free one is taken.`,
        ),
      ),
    );
    server.listen(wanted ?? 0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
