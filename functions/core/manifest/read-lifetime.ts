import type { CertificateSpec } from '../certificate.ts';
import type { CertificateFields } from './certificate-shape.ts';
import { daysAsHours, formatDuration, parseDuration } from './duration.ts';
import { error, type Problem } from './finding.ts';
import { reading, type Reading } from './reading.ts';
import { showValue } from './show-value.ts';

export type Lifetime = Pick<CertificateSpec, 'durationSeconds' | 'renewBefore'>;

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;

/** cert-manager's, as are the minimums: 90 days, an hour, five minutes. */
const DEFAULT_DURATION_SECONDS = 2_160 * HOUR_SECONDS;
const MINIMUM_DURATION_SECONDS = HOUR_SECONDS;
const MINIMUM_RENEW_BEFORE_SECONDS = 5 * MINUTE_SECONDS;

export function readLifetime(fields: CertificateFields): Reading<Lifetime> {
  const duration = readDuration('duration', fields.duration, MINIMUM_DURATION_SECONDS);
  const renewBefore = readDuration('renewBefore', fields.renewBefore, MINIMUM_RENEW_BEFORE_SECONDS);
  const durationSeconds = duration.value ?? DEFAULT_DURATION_SECONDS;
  const percentage = fields.renewBeforePercentage;
  const lifetime: Lifetime = {
    durationSeconds,
    ...(renewBefore.value === undefined ? {} : { renewBefore: { seconds: renewBefore.value } }),
    ...(percentage === undefined ? {} : { renewBefore: { percentage } }),
  };
  const comparable = duration.problems.length === 0;
  return reading(lifetime, [
    ...duration.problems,
    ...renewBefore.problems,
    ...(comparable ? renewBeforeProblems(renewBefore.value, durationSeconds) : []),
    ...percentageProblems(percentage, comparable ? durationSeconds : undefined),
    ...exclusionProblems(fields),
  ]);
}

type DurationField = 'duration' | 'renewBefore';

function readDuration(
  field: DurationField,
  text: string | undefined,
  minimumSeconds: number,
): Reading<number | undefined> {
  if (text === undefined) return { value: undefined, problems: [] };
  const path = ['spec', field];
  const seconds = parseDuration(text);
  if (seconds === undefined) {
    const hours = daysAsHours(text);
    const remedy =
      hours === undefined
        ? 'Write hours, minutes and seconds, as in `2160h` or `1h30m`.'
        : `Write \`${hours}\`: hours are the largest unit.`;
    return reading(undefined, [error('InvalidDuration', path, `${showValue(text)} is not a duration.`, remedy)]);
  }
  if (!Number.isInteger(seconds)) {
    const message = `${showValue(text)} is not a whole number of seconds, and certificates know no smaller unit.`;
    return reading(undefined, [error('InvalidDuration', path, message, 'Round it.')]);
  }
  if (seconds >= minimumSeconds) return reading(seconds, []);
  const message = `\`${field}\` is ${showValue(text)}; the least is ${formatDuration(minimumSeconds)}.`;
  return reading(undefined, [
    error('OutOfRange', path, message, `Write \`${formatDuration(minimumSeconds)}\` or more.`),
  ]);
}

function renewBeforeProblems(seconds: number | undefined, durationSeconds: number): Problem[] {
  if (seconds === undefined || seconds < durationSeconds) return [];
  const message = `\`renewBefore\` (${formatDuration(seconds)}) is not shorter than the duration (${formatDuration(durationSeconds)}): it would renew without end.`;
  const remedy = `A third of the duration is usual: \`${formatDuration(thirdOf(durationSeconds))}\`.`;
  return [error('RenewsWithoutEnd', ['spec', 'renewBefore'], message, remedy)];
}

const thirdOf = (seconds: number): number => Math.floor(seconds / 3 / MINUTE_SECONDS) * MINUTE_SECONDS;

/** The share of the lifetime that is left when the renewal begins. Both it and the rest must be five minutes or more. */
function percentageProblems(percentage: number | undefined, durationSeconds: number | undefined): Problem[] {
  if (percentage === undefined) return [];
  const path = ['spec', 'renewBeforePercentage'];
  const remedy = 'Write the share of the lifetime that is left at renewal, as in `33`.';
  if (percentage < 1 || percentage > 99) {
    const message = `\`renewBeforePercentage\` is ${percentage}; it lies between 1 and 99.`;
    return [error('OutOfRange', path, message, remedy)];
  }
  if (durationSeconds === undefined) return [];
  const before = (durationSeconds * percentage) / 100;
  const after = durationSeconds - before;
  if (before >= MINIMUM_RENEW_BEFORE_SECONDS && after >= MINIMUM_RENEW_BEFORE_SECONDS) return [];
  const which = before < after ? 'before expiry' : 'after issuance';
  const message = `${percentage}% of ${formatDuration(durationSeconds)} renews less than five minutes ${which}.`;
  return [error('OutOfRange', path, message, remedy)];
}

function exclusionProblems(fields: CertificateFields): Problem[] {
  if (fields.renewBefore === undefined || fields.renewBeforePercentage === undefined) return [];
  const message = '`renewBefore` and `renewBeforePercentage` cannot both be set.';
  return [error('Exclusive', ['spec', 'renewBeforePercentage'], message, 'Keep one of them.')];
}
