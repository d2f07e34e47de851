import * as z from 'zod/mini';
import { AwsError } from '../wire/service.ts';

const DAY_MS = 86_400_000;

export const validity = z.strictObject({
  Type: z.enum(['ABSOLUTE', 'END_DATE', 'DAYS', 'MONTHS', 'YEARS']),
  Value: z.int().check(z.minimum(1)),
});

export type Validity = z.output<typeof validity>;

const INSTANTS: Readonly<Record<Validity['Type'], (value: number, now: number) => number>> = {
  ABSOLUTE: (seconds) => seconds * 1_000,
  END_DATE: endDate,
  DAYS: (days, now) => now + days * DAY_MS,
  MONTHS: (months, now) => monthsFrom(now, months),
  YEARS: (years, now) => yearsFrom(now, years),
};

/** The instant that AWS's `Validity` means, for a certificate that is issued now. */
export const instantOf = ({ Type, Value }: Validity, now: number): number => INSTANTS[Type](Value, now);

export function yearsFrom(instant: number, years: number): number {
  return monthsFrom(instant, years * 12);
}

/** The same day of the month, or the last one that month has. */
function monthsFrom(instant: number, months: number): number {
  const date = new Date(instant);
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() + months);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
  return date.getTime();
}

/** `YYYYMMDDHHMMSS`, or `YYMMDDHHMMSS` where 50 and more mean the last century (RFC 5280, section 4.1.2.5.1). */
function endDate(value: number): number {
  // As a number on the wire it has lost its leading zeros.
  const short = String(value).padStart(12, '0');
  const digits = short.length === 12 ? `${short >= '50' ? '19' : '20'}${short}` : short;
  const iso = digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6.000Z');
  const date = new Date(iso);
  // Date makes the 2nd of March of the 30th of February.
  if (!Number.isNaN(date.getTime()) && date.toISOString() === iso) return date.getTime();
  throw new AwsError('ValidationException', `${value} is not a date: END_DATE is YYYYMMDDHHMMSS or YYMMDDHHMMSS`);
}
