import * as z from 'zod';

/** A value that CloudFormation fills in, or one that is written down. */
const attribute = z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const value = z.union([
  z.string(),
  z.strictObject({ Ref: z.string() }),
  attribute,
  z.strictObject({
    'Fn::Select': z.tuple([z.number(), z.strictObject({ 'Fn::Split': z.tuple([z.string(), attribute]) })]),
  }),
]);

const metric = {
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.strictObject({ Name: z.string(), Value: value })),
};
const STATISTIC = z.enum(['Minimum', 'Maximum', 'Average', 'Sum']);
const metricStat = z.strictObject({ Metric: z.strictObject(metric), Period: z.number(), Stat: STATISTIC });
/** A value in each period that has none. */
const filled = z.tuple([
  z.strictObject({
    Expression: z.string().regex(/^FILL\(measured, \d+\)$/),
    Id: z.string(),
    ReturnData: z.literal(true),
  }),
  z.strictObject({
    Id: z.literal('measured'),
    MetricStat: metricStat,
    ReturnData: z.literal(false),
  }),
]);
const metricAlarm = z.object({
  AlarmDescription: z.string(),
  EvaluationPeriods: z.number(),
  Threshold: z.number(),
  ComparisonOperator: z.enum(['LessThanThreshold', 'GreaterThanOrEqualToThreshold']),
  TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore', 'missing']),
  AlarmActions: z.optional(z.array(z.unknown())),
  OKActions: z.optional(z.array(z.unknown())),
});
const plainAlarm = z.strictObject({ ...metricAlarm.shape, ...metric, Statistic: STATISTIC, Period: z.number() });
const filledAlarm = z.strictObject({ ...metricAlarm.shape, Metrics: filled });
const compositeAlarm = z.strictObject({
  AlarmDescription: z.string(),
  AlarmName: z.string(),
  AlarmRule: z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.union([z.string(), value]))]) }),
  AlarmActions: z.optional(z.array(z.unknown())),
  OKActions: z.optional(z.array(z.unknown())),
});

/** Which series of numbers an alarm looks at. */
export interface Series {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface MetricAlarm {
  readonly name: string;
  readonly series: Series;
  readonly statistic: z.infer<typeof STATISTIC>;
  readonly periodMs: number;
  readonly periods: number;
  readonly threshold: number;
  readonly comparison: z.infer<typeof metricAlarm>['ComparisonOperator'];
  readonly missing: z.infer<typeof metricAlarm>['TreatMissingData'];
  /** The value of each period that has none. */
  readonly filledWith: number | undefined;
}

/** Rings while any of the others does. */
export interface CompositeAlarm {
  readonly name: string;
  readonly anyOf: readonly string[];
}

export interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: unknown }>>;
}

/** An alarm's name in the code: what its logical id has between the construct's path and CDK's hash. */
export const alarmName = (logicalId: string): string =>
  logicalId.replace(/^EverleafAlarms/, '').replace(/[0-9A-F]{8}$/, '');

function referenceIn(given: Exclude<z.infer<typeof value>, string>): string {
  if ('Ref' in given) return given.Ref;
  return 'Fn::GetAtt' in given ? given['Fn::GetAtt'][0] : given['Fn::Select'][1]['Fn::Split'][1]['Fn::GetAtt'][0];
}

/** The two ways in which a template says what an alarm looks at. */
function measuredBy(alarm: z.infer<typeof plainAlarm> | z.infer<typeof filledAlarm>): z.infer<typeof metricStat> {
  if ('Metrics' in alarm) return alarm.Metrics[1].MetricStat;
  const { Namespace, MetricName, Dimensions, Period, Statistic } = alarm;
  return { Metric: { Namespace, MetricName, Dimensions }, Period, Stat: Statistic };
}

/** What the alarms of a template say, with `physical` in place of references. Anything this cannot evaluate is an error. */
export function readAlarms(
  template: Template,
  physical: (logicalId: string) => string,
): { readonly metricAlarms: readonly MetricAlarm[]; readonly composites: readonly CompositeAlarm[] } {
  const filledIn = (given: z.infer<typeof value>): string => {
    if (typeof given === 'string') return given;
    // A queue's name is the end of its URL, a rule's what follows its bus.
    return physical(referenceIn(given)).split(/[/|]/).at(-1) ?? '';
  };
  const of = (type: string): [string, unknown][] =>
    Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) =>
      Type === type ? [[id, Properties]] : [],
    );
  const metricAlarms = of('AWS::CloudWatch::Alarm').map(([id, properties]): MetricAlarm => {
    const alarm = z.union([plainAlarm, filledAlarm]).parse(properties);
    const { Metric, Period, Stat } = measuredBy(alarm);
    const dimensions = Object.fromEntries(Metric.Dimensions.map(({ Name, Value }) => [Name, filledIn(Value)]));
    return {
      name: alarmName(id),
      series: { namespace: Metric.Namespace, metric: Metric.MetricName, dimensions },
      statistic: Stat,
      periodMs: Period * 1_000,
      filledWith: 'Metrics' in alarm ? Number(/\d+/.exec(alarm.Metrics[0].Expression)?.[0]) : undefined,
      periods: alarm.EvaluationPeriods,
      threshold: alarm.Threshold,
      comparison: alarm.ComparisonOperator,
      missing: alarm.TreatMissingData,
    };
  });
  const composites = of('AWS::CloudWatch::CompositeAlarm').map(([id, properties]): CompositeAlarm => {
    const rule = compositeAlarm.parse(properties).AlarmRule['Fn::Join'][1];
    const words = rule.filter((part) => typeof part === 'string').join('');
    if (!/^\((?:ALARM\(""\) OR )*ALARM\(""\)\)$/.test(words)) throw new Error(`${id} is not "any of": ${words}`);
    const anyOf = rule.flatMap((part) => (typeof part === 'string' ? [] : alarmName(referenceIn(part))));
    return { name: alarmName(id), anyOf };
  });
  return { metricAlarms, composites };
}
