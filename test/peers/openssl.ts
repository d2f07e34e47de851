import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Obtained } from './clients/client.ts';
import type { Peers } from './peers.ts';
import { words } from './words.ts';

export interface Judged {
  /** What `openssl verify` said, less the file's name: `OK`. */
  readonly verdict: string;
  readonly names: readonly string[];
  readonly keyFits: boolean;
  /** Hexadecimal. */
  readonly serial: string;
  readonly lifetimeSeconds: number;
}

/** Judges what a client got with a program that knows nothing of us. `roots`: PEM. */
export async function judge(
  peers: Peers,
  obtained: Pick<Obtained, 'fullchainFile' | 'keyFile'>,
  roots: readonly string[],
): Promise<Judged> {
  const { fullchainFile: chain, keyFile } = obtained;
  const rootsFile = join(peers.newFolder('roots'), 'roots.pem');
  writeFileSync(rootsFile, roots.join('\n'));
  const openssl = (parameters: readonly string[]): Promise<string> => peers.succeed('openssl', parameters);
  const shown = await openssl(words`x509 -in ${chain} -noout -serial -startdate -enddate -ext subjectAltName`);
  const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(shown)?.[1] ?? '';
  const { output } = await peers.run(
    'openssl',
    words`verify -x509_strict -CAfile ${rootsFile} -untrusted ${chain} ${chain}`,
  );
  const [certified, ours] = [
    await openssl(words`x509 -in ${chain} -noout -pubkey`),
    await openssl(words`pkey -in ${keyFile} -pubout`),
  ];
  return {
    verdict: output.replaceAll(`${chain}: `, '').trim(),
    names: [...shown.matchAll(/DNS:([^,\s]+)/g)].flatMap(([, name]) => name ?? []).toSorted(),
    keyFits: certified === ours,
    serial: field('serial').toLowerCase(),
    lifetimeSeconds: (Date.parse(field('notAfter')) - Date.parse(field('notBefore'))) / 1_000 + 1,
  };
}
