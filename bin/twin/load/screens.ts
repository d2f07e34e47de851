import { textTable } from '../../operator/text-table.ts';
import type { RolledBackRow, ServedRow } from './outcome.ts';
import { type LoadReport, spread } from './rotate.ts';

/** Two screens: what clients saw, and what was taken back. */
export function screens({ handshakes, rotations, servedAfterMs, services, rolledBack, proof }: LoadReport): string {
  const { total, failed, perSecond } = handshakes;
  return [
    '',
    `${count(total)} handshakes, ${count(failed)} failed; ${count(perSecond)} a second, each a new connection that was verified`,
    `${rotations} rotations; the new leaf alone was served after ${seconds(servedAfterMs.median)}, ${seconds(servedAfterMs.worst)} at the worst`,
    ...handshakes.failures.map((failure) => `  ✘ ${failure}`),
    '',
    textTable(HEADINGS, services.map(cells)),
    ...rolledBack.flatMap(rollBack),
    '',
    `${proof.awsCalls} AWS calls, ${proof.callsDenied} denied; ${proof.privateKeysOutsideTheStore} private keys were seen outside of the secret store`,
    ...proof.faults.map((fault) => `  ✘ ${fault}`),
  ].join('\n');
}

const HEADINGS = ['CERTIFICATE', 'SERVED BY', 'SERVES', 'ROTATED', 'SERVED AFTER', 'WORST', 'HANDSHAKES'] as const;

function cells(row: ServedRow): readonly string[] {
  const { median, worst } = spread(row.servedAfterMs);
  const times = row.servedAfterMs.length;
  return [
    row.certificate,
    row.target,
    short(row.sha256Fingerprint),
    `${times} ×`,
    times === 0 ? '–' : seconds(median),
    times === 0 ? '–' : seconds(worst),
    count(row.handshakes),
  ];
}

function rollBack(row: RolledBackRow): readonly string[] {
  const { expected, putBack, seenByClients } = row;
  return [
    '',
    `Rolled back: ${row.certificate}, served by ${row.target}`,
    `  why       ${wrapped(`${row.failure.code}: ${row.failure.message}`)}`,
    `  expected  ${short(expected.sha256Fingerprint)}, generation ${expected.generation}: seen in ${count(seenByClients.expected)} handshakes`,
    `  put back  ${short(putBack.sha256Fingerprint)}, generation ${putBack.generation}, version ${putBack.version.slice(0, 8)}: seen in ${count(seenByClients.putBack)} handshakes`,
    ...row.evidence.map(
      ({ address, endpoint, verdict, sha256Fingerprint = '' }) =>
        `  now       ${address} at ${endpoint}: ${verdict}, ${short(sha256Fingerprint)}`,
    ),
    `  event     ${row.event}; held${row.nextTryAt === undefined ? '' : ` until it is tried again, ${row.nextTryAt.slice(0, 16).replace('T', ' ')}`}`,
  ];
}

const WIDTH = 100;

/** In lines that leave room for the margin. */
const wrapped = (text: string): string =>
  text.replace(new RegExp(`(.{1,${WIDTH}})(?:\\s+|$)`, 'g'), (_, line: string) => `${line}\n            `).trimEnd();

const short = (fingerprint: string): string => fingerprint.slice(0, 12);

const count = (value: number): string => value.toLocaleString('en-US');

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
