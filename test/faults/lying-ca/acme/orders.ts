import { HOUR_MS, SECOND_MS } from '../../../../functions/core/time.ts';
import { json } from '../../../../local/acme/exchange.ts';
import { type AcmeCell, blocked, HEALED, waits } from '../cell.ts';
import { RETRY_AFTER_SECONDS } from '../faults.ts';
import { acmeRefusal } from './ca.ts';
import { cell, GOOD_DAY_REQUESTS, RENEWAL } from './cell.ts';
import { type Lie, meddle, refusing, rewriting, setting, withHeader } from './meddle.ts';

const GOOD_DAY = { requests: GOOD_DAY_REQUESTS } as const;
const nothing = (requests: number) => ({ requests, issuances: 0 }) as const;

/** An order that comes no further than `status`, and with it what the CA says of time. */
const stuck =
  (status: 'pending' | 'processing', retryAfter?: string): Lie =>
  (ca, scene) => {
    const told = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
    const isBefore = (now: unknown): boolean => now === 'pending' || (now === 'ready' && status === 'processing');
    const hold: Parameters<typeof rewriting>[1] = ({ headers, body }) => {
      const { certificate: _hidden, ...rest } = body;
      return isBefore(body['status'])
        ? { headers, body }
        : { headers: { ...headers, ...told }, body: { ...rest, status } };
    };
    const undo = (['order', 'finalize'] as const).map((resource) => rewriting(resource, hold)(ca, scene));
    return () => undo.forEach((each) => each());
  };

/** The order of the certificate in use, again and again: it is valid, and for a key that is another's. */
const finishedOrder: Lie = (ca) => {
  const { path = '' } = ca.server.requests.find(({ resource }) => resource === 'order') ?? {};
  const url = `https://${ca.ownHost}${path}`;
  return meddle(ca, 'newOrder', Infinity, async (next) => {
    const answer = await next();
    const body = { ...(JSON.parse(String(answer.body)) as object), status: 'valid', finalize: `${url}/finalize` };
    return withHeader(json(201, body, answer.headers), 'location', url);
  });
};

/** As it ought to be refused: what asks to replace, and nothing else. */
const alreadyReplaced: Lie = (ca) =>
  meddle(ca, 'newOrder', Infinity, async (next, { body }) => {
    const { payload = '' } = JSON.parse(body) as { readonly payload?: string };
    const asksToReplace = Buffer.from(payload, 'base64url').includes('"replaces"');
    return asksToReplace ? acmeRefusal(409, 'it has been replaced', 'alreadyReplaced') : next();
  });

/** Asks for patience by a date of its own clock. */
const busyBy =
  (aheadMs: number, seconds: number): Lie =>
  (ca, { now }) =>
    meddle(ca, 'newOrder', Infinity, async () => {
      const until = new Date(now() + aheadMs + seconds * SECOND_MS).toUTCString();
      return withHeader(acmeRefusal(503, 'busy'), 'retry-after', until);
    });

const busyFor = (seconds: number) => ({ seconds, step: 'newOrder', alone: false }) as const;

export const acmeOrderCells: readonly AcmeCell[] = [
  cell('newNonce', 'no nonce', waits('CaAnswerUnreadable'), nothing(5), (ca) =>
    meddle(ca, 'newNonce', Infinity, async () => ({ status: 200, headers: {}, body: '' })),
  ),
  // Twenty tries, each with a nonce of its own, in each of four looks.
  cell('newOrder', 'badNonce', waits('AcmeBadNonce'), nothing(170), refusing('newOrder', 400, 'badNonce')),
  cell(
    'newOrder',
    'accountDoesNotExist',
    waits('AcmeAccountDoesNotExist'),
    nothing(13),
    refusing('newOrder', 400, 'accountDoesNotExist'),
  ),
  cell('newOrder', 're-used while it is open', HEALED, GOOD_DAY, setting('reusesOrders', true)),
  cell('newOrder', 're-used when it is over', waits('OrderTaken'), { ...nothing(26), begins: RENEWAL }, finishedOrder),
  cell('newOrder', 'alreadyReplaced', HEALED, { ...GOOD_DAY, begins: RENEWAL }, alreadyReplaced),
  cell(
    'newOrder',
    'alreadyReplaced, whatever is asked',
    blocked('CaRefused', /^ordering a certificate: alreadyReplaced: because of alreadyReplaced$/),
    nothing(4),
    refusing('newOrder', 409, 'alreadyReplaced'),
  ),
  {
    ...cell(
      'newOrder',
      '503, by a clock an hour ahead',
      waits('AcmeServerInternal'),
      nothing(10),
      busyBy(HOUR_MS, RETRY_AFTER_SECONDS),
    ),
    retryAfter: busyFor(RETRY_AFTER_SECONDS + HOUR_MS / SECOND_MS),
  },
  // The date has passed: it is as if there were none.
  cell('newOrder', '503, by a clock an hour behind', waits('AcmeServerInternal'), nothing(10), busyBy(-HOUR_MS, 1_800)),
  cell('order', 'stuck in pending', waits(), nothing(620), stuck('pending')),
  cell('order', 'stuck in processing', waits(), { requests: 620 }, stuck('processing')),
  cell('order', 'stuck in processing, "Retry-After: 1"', waits(), { requests: 620 }, stuck('processing', '1')),
  cell('order', 'stuck in processing, "Retry-After: 7200"', waits(), { requests: 32 }, stuck('processing', '7200')),
  cell('finalize', 'orderNotReady', waits(), nothing(1_240), refusing('finalize', 403, 'orderNotReady')),
];
