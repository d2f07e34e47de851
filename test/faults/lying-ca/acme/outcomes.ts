import { blocked, HEALED, type Outcome, waits } from '../cell.ts';
import type { FaultName } from '../faults.ts';

/** Undefined: there is no such fault at that step. */
export type Row = Readonly<Record<FaultName, Outcome | undefined>>;

/** At what is wanted as JSON, or as PEM. */
export const USUAL: Row = {
  '500': waits('AcmeServerInternal'),
  '429, seconds': waits('AcmeRateLimited'),
  '429, date': waits('AcmeRateLimited'),
  '503, seconds': waits('AcmeServerInternal'),
  '503, date': waits('AcmeServerInternal'),
  truncated: waits('CaUnreachable'),
  slow: waits('CaUnreachable'),
  hanging: waits('CaUnreachable'),
  'a gigabyte': waits('CaAnswerTooLarge'),
  redirect: blocked('CaRedirects', /: the CA answered 307 to https:\/\/127\.0\.0\.1:\d+\/far\/.*into the issuer$/),
  'invalid JSON': waits('CaAnswerUnreadable'),
  'a page of HTML': waits('CaAnswerUnreadable'),
  // What counts is what an answer is, not what it calls itself.
  'wrong content type': HEALED,
};

/** HEAD: no body goes wrong, and no problem document says more than the status. */
export const WITHOUT_BODY: Row = {
  ...USUAL,
  '500': waits('CaFailed'),
  '503, seconds': waits('CaFailed'),
  '503, date': waits('CaFailed'),
  truncated: undefined,
  slow: undefined,
  'a gigabyte': undefined,
  'invalid JSON': undefined,
  'a page of HTML': undefined,
  'wrong content type': undefined,
};

/** The body is not read: what counts is in a header, or is looked up afterwards. */
export const UNREAD: Row = { ...USUAL, 'invalid JSON': HEALED, 'a page of HTML': HEALED };

/** Told that it is not the time for it, we look at the order: it is valid, and the certificate there. */
export const ACTED: Row = {
  ...UNREAD,
  truncated: HEALED,
  slow: HEALED,
  hanging: HEALED,
  'a gigabyte': HEALED,
};

/** Without an answer the lifetime says when to renew. */
export const COURTESY: Row = {
  ...ACTED,
  '500': HEALED,
  '429, seconds': HEALED,
  '429, date': HEALED,
  '503, seconds': HEALED,
  '503, date': HEALED,
  redirect: HEALED,
};
