import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { attemptId, type IssuedChain } from '../../functions/core/certificate.ts';
import { judge } from '../../functions/core/gate.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import type { SigningRequest, Step } from '../../functions/core/ports.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { acmPcaIssuer } from '../../functions/issuers/acm-pca/issuer.ts';
import { aSpec, NOON } from '../support/builders.ts';
import { REGION } from '../twin/json-endpoint.ts';
import { ARN, LyingPca } from './acm-pca-bench.ts';
import { type AwsLie, awsLie, awsLies } from './acm-pca-lies.ts';
import { assertPrototypesPristine, type Outcome, outcomeOf } from './promises.ts';
import type { Target } from './target.ts';

const KEY = keyHandle(await generateKey({ algorithm: 'ECDSA', sizeBits: 256 }));
const SPEC = aSpec({ usages: ['digital signature', 'server auth', 'client auth'] });
const CSR = await buildCsr(SPEC, KEY);

/** Three calls, each with two repetitions of the SDK's own, and as many questions about the CA. */
const MOST_REQUESTS = 15;

let pca: LyingPca | undefined;

/** The adapter before the embedded AWS Private CA, one of whose answers is another one on its way. */
export const acmPca: Target = {
  name: 'acm-pca',
  extension: '.json',
  quickRuns: 150,
  inputs: () => awsLies.map((lie) => Buffer.from(JSON.stringify(lie, null, 1))),
  examine: async (input) => {
    const read = z.safeParse(awsLie, JSON.parse(input.toString()));
    assert.ok(read.success, 'nothing that AWS could say');
    pca ??= await LyingPca.start();
    pca.lie = read.data;
    pca.requests = 0;
    const hasPassed = examineChain(await obtained());
    assert.ok(hasPassed || !isTruth(read.data), 'the true chain is refused');
    assert.ok(pca.requests <= MOST_REQUESTS, `${pca.requests} requests`);
    assertPrototypesPristine();
  },
  close: async () => {
    await pca?.close();
    pca = undefined;
  },
};

const isTruth = ({ status, body, changes }: AwsLie): boolean =>
  status === 200 && body === undefined && changes.length === 0;

async function obtained(): Promise<Outcome<Step<IssuedChain>>> {
  const credentials = () => Promise.resolve({ accessKeyId: 'AKIATEST', secretAccessKey: 'test' });
  const issuer = acmPcaIssuer({ certificateAuthorityArn: ARN, region: REGION }, credentials);
  const attempt = attemptId.parse(randomUUID());
  const request: SigningRequest = { attempt, certificate: SPEC, csr: CSR, notAfter: NOON + 90 * DAY_MS };
  const started = await outcomeOf(() => issuer.start(request));
  if (!started.ok || started.value.status === 'done') return started;
  const { ticket } = started.value;
  // The ledger takes texts.
  assert.deepEqual(z.parse(z.record(z.string(), z.string()), ticket), ticket);
  return outcomeOf(() => issuer.check(request, ticket));
}

/** Answers whether there is a chain that the gate lets through. */
function examineChain(outcome: Outcome<Step<IssuedChain>>): boolean {
  if (!outcome.ok || outcome.value.status === 'waiting') return false;
  const chain = outcome.value.value;
  const verdict = judge(
    {
      spec: SPEC,
      publicKey: KEY.publicKey,
      chain,
      latestNotAfter: NOON + 90 * DAY_MS,
      uninvitedUsages: [],
      withheldUsages: [],
    },
    NOON,
  );
  return verdict.verdict === 'pass';
}
