import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { type CaBench, caBench, ZONE } from '../acme/ca-bench.ts';
import { journey } from './acme-journey.ts';
import { directoryUrl, type Lie, lies, lieSchema, lying } from './acme-lies.ts';
import { assertPrototypesPristine } from './promises.ts';
import type { Target } from './target.ts';

/** For each call of the adapter: what a step asks for, twenty bad nonces in a row, and both once more where an account was lost. */
const MOST_REQUESTS_A_CALL = 64;

/** A bench keeps what it was asked and whom it knows: it is made anew before that is much. */
const INPUTS_A_BENCH = 60;

let bench: { readonly used: CaBench; inputs: number; readonly close: () => Promise<void> } | undefined;

/** The adapter before the embedded CA, which lies in one kind of answer. */
export const acme: Target = {
  name: 'acme',
  extension: '.json',
  quickRuns: 60,
  inputs: () => lies.map((lie) => Buffer.from(JSON.stringify(lie, null, 1))),
  examine: async (input) => {
    const read = z.safeParse(lieSchema, JSON.parse(input.toString()));
    assert.ok(read.success, 'nothing that a CA could say');
    await examineLie(read.data, await benchForNext());
    assertPrototypesPristine();
  },
  close: async () => {
    await bench?.close();
    bench = undefined;
  },
};

async function benchForNext(): Promise<CaBench> {
  if (bench !== undefined && bench.inputs >= INPUTS_A_BENCH) await acme.close?.();
  if (bench === undefined) {
    let close = (): Promise<void> => Promise.resolve();
    const used = await caBench({}, (closing) => void (close = closing));
    bench = { used, inputs: 0, close };
  }
  bench.inputs += 1;
  return bench.used;
}

const isTruth = ({ status, headers, body, changes }: Lie): boolean =>
  status === undefined && body === undefined && changes.length + Object.keys(headers).length === 0;

async function examineLie(lie: Lie, used: CaBench): Promise<void> {
  const name = `f-${randomUUID()}`;
  const order = await used.order({ dnsNames: [`${name}.${ZONE}`, `*.${name}.${ZONE}`] });
  const [added, asked] = [used.dns.added.length, used.ca.requests.length];
  const { origin } = new URL(used.ca.directoryUrl);
  const stopLying = used.ca.use(lying(lie, origin));
  try {
    const options = { accountKey: { name, key: 'tls.key' }, server: directoryUrl(origin, name) };
    const { calls, hasPassed } = await journey(() => used.issuer(options), order, used.clock.now());
    assert.ok(hasPassed || !isTruth(lie), 'the true chain is refused');
    const requests = used.ca.requests.length - asked;
    assert.ok(requests <= calls * MOST_REQUESTS_A_CALL, `${requests} requests in ${calls} calls`);
  } finally {
    stopLying();
  }
  const records = used.dns.added.slice(added);
  for (const record of records) assert.equal(record.name, `_acme-challenge.${name}.${ZONE}`);
}
