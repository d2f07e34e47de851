import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peers } from '../peers.ts';
import { words } from '../words.ts';
import { freePort } from './free-port.ts';
import { askFor } from './http.ts';
import { type Server, startServer } from './server.ts';

export interface StepCaOptions {
  /** Where it looks for challenges, `127.0.0.1:port`. */
  readonly dnsServer: string;
}

export interface StepCa extends Server {
  readonly directoryUrl: string;
  /** Both its HTTPS and what it issues verify against this. */
  readonly rootFile: string;
}

const PROVISIONER = 'acme';

/** Smallstep's CA with an ACME provisioner: one root, one intermediate, a day's validity. */
export async function startStepCa(peers: Peers, { dnsServer }: StepCaOptions): Promise<StepCa> {
  const folder = peers.newFolder('step-ca');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, 'made-for-this-run', { mode: 0o600 });
  const address = `127.0.0.1:${await freePort()}`;
  const env = { STEPPATH: folder };
  await peers.succeed(
    peers.programs.step,
    words`ca init --deployment-type standalone --name Peer --dns localhost --dns 127.0.0.1 --address ${address}
      --provisioner admin --acme --password-file ${passwordFile} --provisioner-password-file ${passwordFile}`,
    { env },
  );
  const origin = `https://${address}`;
  const rootFile = join(folder, 'certs', 'root_ca.crt');
  const ca = readFileSync(rootFile, 'utf8');
  const server = await startServer(peers, {
    program: peers.programs.stepCa,
    parameters: words`${join(folder, 'config', 'ca.json')} --password-file ${passwordFile} --resolver ${dnsServer}`,
    folder,
    env,
    serves: () => askFor(`${origin}/health`, { ca }),
  });
  return { ...server, rootFile, directoryUrl: `${origin}/acme/${PROVISIONER}/directory` };
}
