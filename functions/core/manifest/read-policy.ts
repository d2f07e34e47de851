import type { Policy, Portion } from '../rollout/hook-spec.ts';
import { windowFault } from '../rollout/window.ts';
import { daysAsHours, formatDuration, parseDuration } from './duration.ts';
import { error, type Path, type Problem } from './finding.ts';
import type { HookFields, WindowFields } from './hook-shape.ts';
import { reading, type Reading } from './reading.ts';
import { showValue } from './show-value.ts';

const DEFAULT_CANARY: Portion = { count: 1 };
const DEFAULT_CONCURRENCY = 5;
const DEFAULT_DEADLINE = '15m';

const DAY_SECONDS = 86_400;
const BOUNDS = {
  pause: { least: 0, most: 7 * DAY_SECONDS },
  progressDeadline: { least: 60, most: DAY_SECONDS },
  window: { least: 300, most: 7 * DAY_SECONDS },
} as const;

/** Some instant to look for a window from: whether a cron expression ever comes does not depend on it. */
const LOOK_FROM = Date.UTC(2026, 0, 1);

/** How a document wants its targets to be taken from one version to the next, with our defaults. */
export function readPolicy(fields: HookFields): Reading<Policy> {
  const { order = 0, waves = {}, concurrency = DEFAULT_CONCURRENCY, onFailure = 'rollback' } = fields;
  const canary = readPortion(waves.canary, ['spec', 'waves', 'canary']);
  const size = readPortion(waves.size, ['spec', 'waves', 'size']);
  const pause = readDuration(waves.pause ?? '0s', ['spec', 'waves', 'pause'], BOUNDS.pause);
  const deadline = readDuration(
    fields.progressDeadline ?? DEFAULT_DEADLINE,
    ['spec', 'progressDeadline'],
    BOUNDS.progressDeadline,
  );
  const window = readWindow(fields.window);
  const policy: Policy = {
    order,
    waves: {
      canary: canary.value ?? DEFAULT_CANARY,
      ...(size.value === undefined ? {} : { size: size.value }),
      pauseSeconds: pause.value ?? 0,
    },
    concurrency,
    ...(window.value === undefined ? {} : { window: window.value }),
    onFailure,
    progressDeadlineSeconds: deadline.value ?? 0,
  };
  return reading(policy, [
    ...canary.problems,
    ...size.problems,
    ...pause.problems,
    ...deadline.problems,
    ...window.problems,
    ...within(order, ['spec', 'order'], { least: -1_000, most: 1_000 }),
    ...within(concurrency, ['spec', 'concurrency'], { least: 1, most: 100 }),
  ]);
}

interface Bounds {
  readonly least: number;
  readonly most: number;
}

const within = (value: number, path: Path, { least, most }: Bounds): Problem[] =>
  value >= least && value <= most
    ? []
    : [
        error(
          'OutOfRange',
          path,
          `\`${String(path.at(-1))}\` is ${value}.`,
          `Write a number from ${least} to ${most.toLocaleString('en')}.`,
        ),
      ];

function readPortion(
  fields: { readonly count?: number | undefined; readonly share?: number | undefined } | undefined,
  path: Path,
): Reading<Portion | undefined> {
  if (fields === undefined) return reading(undefined, []);
  const { count, share } = fields;
  if (count !== undefined && share !== undefined) {
    const message = '`count` and `share` cannot both be set.';
    return reading(undefined, [error('Exclusive', [...path, 'share'], message, 'Keep one of them.')]);
  }
  if (count !== undefined) return reading({ count }, within(count, [...path, 'count'], { least: 1, most: 500 }));
  if (share !== undefined) return reading({ share }, within(share, [...path, 'share'], { least: 1, most: 100 }));
  const message = `\`${String(path.at(-1))}\` says neither \`count\` nor \`share\`.`;
  return reading(undefined, [error('MissingField', path, message, 'Write `count: 1`, or a share as in `share: 10`.')]);
}

function readDuration(text: string, path: Path, { least, most }: Bounds): Reading<number> {
  const seconds = parseDuration(text);
  const field = String(path.at(-1));
  if (seconds === undefined) {
    const hours = daysAsHours(text);
    const remedy = `Write it in hours, minutes and seconds, as in \`${hours ?? '10m'}\`.`;
    return reading(0, [error('InvalidDuration', path, `\`${field}\` is ${showValue(text)}, no duration.`, remedy)]);
  }
  if (seconds >= least && seconds <= most) return reading(seconds, []);
  const range = `${formatDuration(least)} to ${formatDuration(most)}`;
  return reading(0, [error('OutOfRange', path, `\`${field}\` is ${formatDuration(seconds)}.`, `Write ${range}.`)]);
}

function readWindow(fields: WindowFields | undefined): Reading<Policy['window']> {
  if (fields === undefined) return reading(undefined, []);
  const { cron, timeZone = 'UTC' } = fields;
  const duration = readDuration(fields.duration, ['spec', 'window', 'duration'], BOUNDS.window);
  const fault = windowFault({ cron, timeZone }, LOOK_FROM);
  const problems = [...duration.problems];
  if (fault !== undefined) {
    const message = `${showValue(fault.field === 'cron' ? cron : timeZone)} ${fault.why}.`;
    const remedy =
      fault.field === 'cron'
        ? 'Write minute, hour, day, month and day of the week, as in `0 2 * * 1-5`.'
        : 'Write its IANA name, as in `Europe/Berlin`.';
    problems.push(error('InvalidWindow', ['spec', 'window', fault.field], message, remedy));
  }
  return reading({ cron, durationSeconds: duration.value ?? 0, timeZone }, problems);
}
