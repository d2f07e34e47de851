import * as z from 'zod/mini';
import { AcmeProblem, malformed, rejected } from './problems.ts';
import { type AcmeProfile, type AcmeSettings, completed } from './settings.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DEFAULT_PROFILE: AcmeProfile = { lifetimeSeconds: 90 * 24 * 3_600 };
/** LDH labels, two of them at least, and a wildcard for the first only (RFC 5280, section 4.2.1.6; RFC 8555, section 7.1.3). */
const DNS_NAME = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const LONGEST_NAME = 253;
const MOST_IDENTIFIERS = 100;

const instant = z.optional(z.iso.datetime({ offset: true }));
const identifiers = z
  .array(z.object({ type: z.string(), value: z.string() }))
  .check(z.minLength(1), z.maxLength(MOST_IDENTIFIERS));

export const newOrder = z.object({
  identifiers,
  profile: z.optional(z.string()),
  replaces: z.optional(z.string()),
  notBefore: instant,
  notAfter: instant,
});

export type NewOrder = z.output<typeof newOrder>;

/** The names, in small letters, sorted and each once. */
export function namesOf({ identifiers }: Pick<NewOrder, 'identifiers'>): string[] {
  return [...new Set(identifiers.map(({ value }) => value.toLowerCase()))].toSorted();
}

/** What rate limits look at: whatever is there, before anything is refused. */
export function claimedNames(payload: string): string[] {
  const claim = z.object({ identifiers });
  try {
    return namesOf(claim.parse(JSON.parse(payload)));
  } catch {
    return [];
  }
}

export function requireNames(wish: NewOrder, { mostNames }: Required<AcmeProfile>): string[] {
  const problem = rejected(
    wish.identifiers.flatMap(({ type, value }) => {
      if (type !== 'dns') return { value, type: 'unsupportedIdentifier' as const, detail: `${type} is not dns` };
      if (value.length <= LONGEST_NAME && DNS_NAME.test(value.toLowerCase())) return [];
      return { value, type: 'rejectedIdentifier' as const, detail: `${value} is no DNS name of a host` };
    }),
  );
  if (problem !== undefined) throw problem;
  const names = namesOf(wish);
  if (names.length > mostNames) throw malformed(`${names.length} names are more than the ${mostNames} of its profile`);
  return names;
}

/** The one asked for; the first one offered when none is. */
export function profileOf(
  { profile }: NewOrder,
  offered: Readonly<Record<string, AcmeProfile>>,
): Required<AcmeProfile> {
  const names = Object.keys(offered);
  if (profile !== undefined && !names.includes(profile)) {
    throw new AcmeProblem('invalidProfile', `the profile ${profile} is not one of ${names.join(', ')}`);
  }
  return completed(offered[profile ?? names[0] ?? ''] ?? DEFAULT_PROFILE);
}

export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** As Boulder: begun an hour ago, for clocks that are slow; the last second is within the lifetime. */
export function validityOf({ notBefore, notAfter }: NewOrder, { lifetimeSeconds }: AcmeProfile, now: number): Validity {
  const start = notBefore === undefined ? now - HOUR_MS : Date.parse(notBefore);
  const end = start + (lifetimeSeconds - 1) * SECOND_MS;
  return { notBefore: start, notAfter: notAfter === undefined ? end : Date.parse(notAfter) };
}

export function requireDates(wish: NewOrder, profile: AcmeProfile, { allowsDates }: AcmeSettings, now: number): void {
  if (wish.notBefore === undefined && wish.notAfter === undefined) return;
  if (!allowsDates) throw malformed('notBefore and notAfter are not to be chosen here');
  const { notBefore, notAfter } = validityOf(wish, profile, now);
  if (notAfter <= now || notAfter <= notBefore) throw malformed('the certificate would never be valid');
  if (notAfter - notBefore > profile.lifetimeSeconds * SECOND_MS) throw malformed('longer than its profile allows');
}
