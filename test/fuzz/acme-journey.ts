import assert from 'node:assert/strict';
import { type IssuedChain, versionId } from '../../functions/core/certificate.ts';
import { describeFailure, type EverleafError } from '../../functions/core/errors.ts';
import type { Issuer } from '../../functions/core/ports.ts';
import { type Instant, SECOND_MS } from '../../functions/core/time.ts';
import type { Order } from '../acme/ca-bench.ts';
import { acmeVerdict } from '../support/acme-verdict.ts';
import { FuzzedLedger } from './fuzzed-ledger.ts';
import { outcomeOf } from './promises.ts';

/** Looks at an order that comes to nothing. */
const MOST_LOOKS = 12;

interface Journey {
  /** How often the adapter was called. */
  readonly calls: number;
  /** Whether a chain came of it that the gate lets through. */
  readonly hasPassed: boolean;
}

/** As the pipeline makes it, with what comes of each step written into the ledger. */
export async function journey(connect: () => Issuer, order: Order, at: Instant): Promise<Journey> {
  const ledger = new FuzzedLedger(order, at);
  let step = await outcomeOf(() => connect().start(order.request));
  // One issuer for the first half, as in a warm function; then a cold one for every look.
  const warm = connect();
  let calls = 1;
  while (step.ok && step.value.status === 'waiting' && calls < MOST_LOOKS) {
    const { ticket, checkAfterSeconds } = step.value;
    assert.ok(checkAfterSeconds >= 0 && Number.isFinite(checkAfterSeconds), `to wait ${checkAfterSeconds} seconds`);
    ledger.note({ event: 'OrderPlaced', ticket, checkAt: at + checkAfterSeconds * SECOND_MS });
    const issuer = calls < MOST_LOOKS / 2 ? warm : connect();
    step = await outcomeOf(() => issuer.check(order.request, ticket));
    calls += 1;
  }
  let hasPassed = false;
  if (!step.ok) {
    assertInOurWords(step.error);
    ledger.note({ event: 'AttemptFailed', failure: describeFailure(step.error) });
  } else if (step.value.status === 'done') {
    hasPassed = await finish(warm, order, step.value.value, ledger);
  }
  const { owed } = ledger;
  if (owed !== undefined) await outcomeOf(() => warm.abandon(owed));
  // The abandonment and the question about the renewal are calls as well.
  return { calls: calls + 2, hasPassed };
}

/** Answers whether the gate lets it through. */
async function finish(issuer: Issuer, order: Order, chain: IssuedChain, ledger: FuzzedLedger): Promise<boolean> {
  const verdict = acmeVerdict(order, chain, ledger.at);
  if (verdict.verdict === 'refuse') return false;
  const { account, offersRenewalInfo } = chain;
  const version = versionId.parse('v1');
  ledger.note({
    event: 'VersionStored',
    version,
    ref: 'arn',
    leaf: verdict.leaf,
    account,
    offersRenewalInfo,
    leftover: undefined,
  });
  ledger.note({ event: 'VersionPromoted' });
  const wish = await outcomeOf(async () => issuer.renewalInfo?.(verdict.leaf));
  if (!wish.ok) assertInOurWords(wish.error);
  const window = wish.ok ? wish.value?.window : undefined;
  ledger.note({ event: 'RenewalInfoLearned', window, random: 0.5, checkAt: ledger.at });
  return true;
}

/** RFC 8555 §6.7 and the adapter's own: what a CA makes up becomes no code of ours. */
const CODES_OF_PROBLEMS = new Set([
  'BadNonce', 'RateLimited', 'ServerInternal', 'OrderNotReady', 'Connection', 'Dns', 'Tls', 'AccountDoesNotExist', 'NotFound',
  'BadCSR', 'BadPublicKey', 'BadSignatureAlgorithm', 'Caa', 'ExternalAccountRequired', 'InvalidContact', 'InvalidProfile',
  'RejectedIdentifier', 'Unauthorized', 'UnsupportedContact', 'UnsupportedIdentifier', 'UserActionRequired',
].map((type) => `Acme${type}`)); // prettier-ignore

/** What a CA says ends up on terminals. */
function assertInOurWords({ code, message }: EverleafError): void {
  assert.ok(!code.startsWith('Acme') || CODES_OF_PROBLEMS.has(code), code);
  assert.doesNotMatch(message, /\p{Cc}/u);
}
