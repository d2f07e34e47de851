import { type Instant, MINUTE_MS } from '../../../functions/core/time.ts';
import type { CompositeAlarm, MetricAlarm, Series } from './template-alarms.ts';

export interface DataPoint extends Series {
  readonly at: Instant;
  readonly value: number;
}

type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/**
 * CloudWatch's alarms, as far as ours use them: looked at once a minute, over the periods that end with that minute, in the
 * statistic that the alarm names, and with missing data as it declares: that is, where further back there is not enough of it either.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
 */
export class AlarmBoard {
  readonly #alarms: readonly MetricAlarm[];
  readonly #composites: readonly CompositeAlarm[];
  readonly #states = new Map<string, State>();

  constructor({
    metricAlarms,
    composites,
  }: {
    readonly metricAlarms: readonly MetricAlarm[];
    readonly composites: readonly CompositeAlarm[];
  }) {
    this.#alarms = metricAlarms;
    this.#composites = composites;
  }

  get names(): readonly string[] {
    return [...this.#alarms, ...this.#composites].map(({ name }) => name).sort();
  }

  /** Evaluates every alarm at `now`; answers the names of those that ring. */
  lookAt(points: readonly DataPoint[], now: Instant): readonly string[] {
    for (const alarm of this.#alarms) {
      const state = evaluate(alarm, points, now);
      if (state !== undefined) this.#states.set(alarm.name, state);
    }
    const ringing = (name: string): boolean => this.#states.get(name) === 'ALARM';
    for (const { name, anyOf } of this.#composites) this.#states.set(name, anyOf.some(ringing) ? 'ALARM' : 'OK');
    return this.names.filter(ringing);
  }
}

/** How many periods CloudWatch looks at beyond an alarm's own. It does not say; people have seen two or three. */
const FURTHER_BACK = 3;

/** Undefined: it stays as it is. */
function evaluate(alarm: MetricAlarm, points: readonly DataPoint[], now: Instant): State | undefined {
  const ofSeries = points.filter((point) => isOf(alarm.series, point));
  const end = Math.ceil(now / MINUTE_MS) * MINUTE_MS;
  const range = Array.from({ length: alarm.periods + FURTHER_BACK }, (_, back) => {
    const [from, to] = [end - (back + 1) * alarm.periodMs, end - back * alarm.periodMs];
    const values = ofSeries.filter(({ at }) => at >= from && at < to).map(({ value }) => value);
    const measured = values.length === 0 ? alarm.filledWith : statistic(alarm.statistic, values);
    if (measured === undefined) return undefined;
    return breaches(alarm, measured) ? 'breaching' : 'notBreaching';
  });
  const real = range.filter((verdict) => verdict !== undefined);
  const verdicts = (real.length >= alarm.periods ? real : range)
    .slice(0, alarm.periods)
    .map((verdict) => verdict ?? alarm.missing);
  if (verdicts.every((verdict) => verdict === 'missing')) return 'INSUFFICIENT_DATA';
  if (verdicts.some((verdict) => verdict === 'ignore')) return undefined;
  return verdicts.every((verdict) => verdict === 'breaching') ? 'ALARM' : 'OK';
}

/** Whether a point is one of a series: every dimension is the same, and there is no other. */
export const isOf = ({ namespace, metric, dimensions }: Series, point: DataPoint): boolean =>
  point.namespace === namespace &&
  point.metric === metric &&
  Object.keys(point.dimensions).length === Object.keys(dimensions).length &&
  Object.entries(dimensions).every(([name, value]) => point.dimensions[name] === value);

/** CloudWatch's statistics, of values that are there; `p50` and the like are percentiles. */
export function statistic(name: string, values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const sum = sorted.reduce((total, each) => total + each, 0);
  const percent = /^p(\d+)$/.exec(name)?.[1];
  const found =
    percent === undefined
      ? { Minimum: sorted[0], Maximum: sorted.at(-1), Sum: sum, Average: sum / sorted.length }[name]
      : sorted[Math.ceil((Number(percent) / 100) * sorted.length) - 1];
  if (found === undefined) throw new Error(`no ${name} of ${values.length} values`);
  return found;
}

const breaches = ({ comparison, threshold }: MetricAlarm, value: number): boolean =>
  comparison === 'LessThanThreshold' ? value < threshold : value >= threshold;
