import { PermanentError, TransientError } from '../../core/errors.ts';
import type { ReplacedLeaf, SigningRequest } from '../../core/ports.ts';
import { toTimestamp } from '../../core/time.ts';
import { type AcmeAnswer, type AcmeClient, parse } from './client.ts';
import { type Order, order } from './objects.ts';
import type { AcmeOptions } from './options.ts';
import { inWords, problemOf, problemType, readProblem, shorten } from './problems.ts';
import { certId } from './renewal-info.ts';
import type { OrderState } from './ticket.ts';

/** An order with what its answer said beside it. */
export interface SeenOrder extends Order {
  readonly retryAfterSeconds: number | undefined;
}

/** RFC 8555 §7.4. A CA that re-uses orders answers the one of an earlier, interrupted try. */
export async function placeOrder(
  client: AcmeClient,
  options: AcmeOptions,
  request: SigningRequest,
): Promise<OrderState> {
  const { newOrder, renewalInfo, meta } = await client.directory();
  requireProfile(options, meta?.profiles);
  const payload = {
    identifiers: request.certificate.dnsNames.map((value) => ({ type: 'dns', value })),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.sendsNotAfter ? { notAfter: toTimestamp(request.notAfter) } : {}),
  };
  const replaces = renewalInfo === undefined ? undefined : replacedId(request.replaces, client.accountUrl);
  const answer = await ordered(client, newOrder, payload, replaces);
  const { accountUrl: account = '' } = client;
  if (answer.location === undefined) {
    throw new TransientError('CaAnswerUnreadable', 'the CA took an order and did not say where it is', {
      mayHaveActed: true,
    });
  }
  const placed = readOrder(answer);
  if (placed.status === 'invalid') throw orderFailed(placed);
  return {
    order: answer.location,
    account,
    finalize: placed.finalize,
    phase: FIRST_PHASES[placed.status],
    authorizations: [...new Set(placed.authorizations)],
    challenges: [],
    through: 0,
    waits: [],
    looks: 0,
    finalized: false,
  };
}

const FIRST_PHASES = {
  pending: 'authorizing',
  ready: 'finalizing',
  processing: 'processing',
  valid: 'processing',
} as const;

/**
 * `replaces` is a courtesy with rules (RFC 9773 §5): one successor each, and only at the account that has the predecessor. Where
 * the CA sees it otherwise than we do, the order goes without.
 */
async function ordered(
  client: AcmeClient,
  newOrder: string,
  payload: object,
  replaces: string | undefined,
): Promise<AcmeAnswer> {
  const doing = 'ordering a certificate';
  if (replaces === undefined) return client.post(newOrder, payload, doing);
  try {
    return await client.post(newOrder, { ...payload, replaces }, doing);
  } catch (error) {
    const { type = '', status } = problemOf(error) ?? {};
    if (!REPLACES_REFUSED.has(type) && status !== ALREADY_REPLACED) throw error;
    return client.post(newOrder, payload, doing);
  }
}

/** By its status (RFC 9773 §5), should its words get lost on the way. */
const ALREADY_REPLACED = 409;
const REPLACES_REFUSED = new Set(['alreadyReplaced', 'malformed', 'unauthorized', 'conflict', 'notFound']);

function replacedId(replaced: ReplacedLeaf | undefined, account: string | undefined): string | undefined {
  return replaced?.account !== undefined && replaced.account === account ? certId(replaced.leaf) : undefined;
}

/** Said before an order is spent on it. */
function requireProfile(
  { profile, server }: AcmeOptions,
  offered: Readonly<Record<string, unknown>> | undefined,
): void {
  if (profile === undefined || offered === undefined || Object.hasOwn(offered, profile)) return;
  const names = shorten(Object.keys(offered).join(', ')) || 'none';
  throw new PermanentError(
    'AcmeInvalidProfile',
    `${server} has no profile ${JSON.stringify(profile)}; it offers: ${names}`,
  );
}

export async function lookAtOrder(client: AcmeClient, url: string): Promise<SeenOrder> {
  return readOrder(await client.post(url, null, 'looking at an order'));
}

/** Sends the request. Undefined: the CA says that it is not the time; another look tells why. */
export async function finalizeOrder(client: AcmeClient, url: string, csr: string): Promise<SeenOrder | undefined> {
  const der = csr.replace(/-----[A-Z ]+-----|\s/g, '');
  try {
    const payload = { csr: Buffer.from(der, 'base64').toString('base64url') };
    return readOrder(await client.post(url, payload, 'finalizing an order'));
  } catch (error) {
    if (problemType(error) === 'orderNotReady') return undefined;
    throw error;
  }
}

function readOrder(answer: AcmeAnswer): SeenOrder {
  return { ...parse(order, answer.body, 'an order'), retryAfterSeconds: answer.retryAfterSeconds };
}

/** The order is dead, for the CA's reasons. Another one may do better. */
export function orderFailed({ error }: Pick<Order, 'error'>): TransientError {
  const why = error === undefined ? 'the CA does not say why' : inWords(readProblem(error));
  return new TransientError('OrderInvalid', `the order has become invalid: ${why}`, { endsAttempt: true });
}
