import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../time.ts';

/** Go's units (`time.ParseDuration`), in milliseconds. Micro has two spellings in Unicode. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
};

const TERM = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Go counts nanoseconds in 64 bits: some 292 years is the most it can hold. */
const MAXIMUM_MS = 2 ** 63 / 1e6;

/** Longer text is no duration that anybody wrote. */
const MAXIMUM_CHARACTERS = 100;

/**
 * Go's duration text, `2160h`, `1h30m` or `1.5h`, in seconds; undefined when Go would refuse it. Kubernetes keeps durations
 * in this form, so there are no days.
 */
export function parseDuration(text: string): number | undefined {
  if (text.length > MAXIMUM_CHARACTERS) return undefined;
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[-+]/, '');
  if (body === '0') return 0;
  if (body === '') return undefined;

  let milliseconds = 0;
  TERM.lastIndex = 0;
  while (TERM.lastIndex < body.length) {
    const term = TERM.exec(body);
    if (term === null) return undefined;
    milliseconds += Number(term[1]) * (UNIT_MS[term[2] ?? ''] ?? Number.NaN);
  }
  if (!(milliseconds < MAXIMUM_MS)) return undefined;
  return (sign * milliseconds) / SECOND_MS;
}

/** What somebody meant by `90d` or `12w`, in hours; undefined for anything else. */
export function daysAsHours(text: string): string | undefined {
  const match = /^(\d{1,5})\s*(d|day|days|w|week|weeks|y|year|years)$/i.exec(text);
  if (match === null) return undefined;
  const unit = (match[2] ?? '').toLowerCase();
  const days = unit.startsWith('d') ? 1 : unit.startsWith('w') ? 7 : 365;
  return `${Number(match[1]) * days * 24}h`;
}

/** Seconds as Go prints them: `2160h0m0s`; whole hours and minutes drop what is zero. */
export function formatDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = seconds % 60;
  const parts = [
    [hours, 'h'],
    [minutes, 'm'],
    [rest, 's'],
  ] as const;
  const text = parts.flatMap(([number, unit]) => (number === 0 ? [] : [`${number}${unit}`])).join('');
  return text === '' ? '0s' : text;
}
