import type { LeafFacts } from '../../core/certificate.ts';
import type { RenewalInfo, RenewalWindow } from '../../core/ports.ts';
import { DAY_MS, HOUR_MS, type Instant, SECOND_MS } from '../../core/time.ts';
import { type AcmeClient, parse } from './client.ts';
import { renewalInfo } from './objects.ts';

/** RFC 9773 §4.3.3: where the CA says nothing of when to ask again. */
const ASK_AGAIN_SECONDS = (6 * HOUR_MS) / SECOND_MS;
/** A CA that answers nothing sensible, or knows no such thing, is left alone for a day. */
const LEAVE_ALONE_SECONDS = DAY_MS / SECOND_MS;

/**
 * How ARI names a certificate (RFC 9773 §4.1): the identifier of the key that signed it, a dot, its serial number as DER has it,
 * both in base64url. Undefined for a leaf that does not say who signed it.
 */
export function certId({ authorityKeyId, serialNumber }: LeafFacts): string | undefined {
  if (authorityKeyId === undefined) return undefined;
  const serial = Buffer.from(serialNumber, 'hex');
  // DER's integers have a sign: a leading zero keeps one positive (X.690 §8.3).
  const integer = (serial[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), serial]) : serial;
  return `${Buffer.from(authorityKeyId, 'hex').toString('base64url')}.${integer.toString('base64url')}`;
}

/** Asks for the window in which the CA would like `leaf` to be replaced. */
export async function askRenewalInfo(client: AcmeClient, leaf: LeafFacts): Promise<RenewalInfo> {
  const { renewalInfo: base } = await client.directory();
  const id = certId(leaf);
  if (base === undefined || id === undefined) return { window: undefined, checkAfterSeconds: LEAVE_ALONE_SECONDS };
  const answer = await client.get(`${base.replace(/\/$/, '')}/${id}`, 'asking for renewal information');
  const { suggestedWindow, explanationURL } = parse(renewalInfo, answer.body, 'renewal information');
  return {
    window: windowOf(suggestedWindow, explanationURL),
    checkAfterSeconds: answer.retryAfterSeconds ?? ASK_AGAIN_SECONDS,
  };
}

function windowOf(
  suggested: { readonly start: string; readonly end: string },
  explanationUrl: string | undefined,
): RenewalWindow | undefined {
  const [start, end] = [Date.parse(suggested.start), Date.parse(suggested.end)];
  if (!isWritten(start) || !isWritten(end) || end <= start) return undefined;
  return { start, end, ...(explanationUrl === undefined ? {} : { explanationUrl }) };
}

/** RFC 3339, and the ledger with it, writes years with four digits. */
const isWritten = (at: Instant): boolean => at >= 0 && at < Date.UTC(10_000, 0);
