import * as z from 'zod';
import type { Series, Template } from '../../test/support/alarms/template-alarms.ts';

const place = { x: z.number(), y: z.number(), width: z.number(), height: z.number() };
const metric = z.array(
  z.union([
    z.string(),
    z.looseObject({ label: z.optional(z.string()), stat: z.optional(z.string()), period: z.optional(z.number()) }),
  ]),
);

const widget = z.discriminatedUnion('type', [
  z.object({ ...place, type: z.literal('text'), properties: z.object({ markdown: z.string() }) }),
  z.object({
    ...place,
    type: z.literal('alarm'),
    properties: z.object({ title: z.string(), alarms: z.array(z.string()) }),
  }),
  z.object({ ...place, type: z.literal('log'), properties: z.object({ title: z.string(), query: z.string() }) }),
  z.object({
    ...place,
    type: z.literal('metric'),
    properties: z.object({ title: z.string(), view: z.enum(['singleValue', 'timeSeries']), metrics: z.array(metric) }),
  }),
]);
export type Widget = z.infer<typeof widget>;

/** What one line or number of a widget shows. */
export interface Shown extends Series {
  readonly statistic: string;
  readonly periodMs: number;
  readonly label: string;
}

/** The widgets of the template's one dashboard, with `physical` in place of references. */
export function readWidgets({ Resources }: Template, physical: (logicalId: string) => string): readonly Widget[] {
  const properties = Object.values(Resources).find(({ Type }) => Type === 'AWS::CloudWatch::Dashboard')?.Properties;
  const dashboard = z.looseObject({ DashboardBody: z.unknown() }).parse(properties);
  const reference = z.union([z.object({ Ref: z.string() }), z.object({ 'Fn::GetAtt': z.array(z.string()) })]);
  const { 'Fn::Join': joined } = z
    .object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.union([z.string(), reference]))]) })
    .parse(dashboard.DashboardBody);
  const text = joined[1].map((part) => {
    if (typeof part === 'string') return part;
    const id = 'Ref' in part ? part.Ref : (part['Fn::GetAtt'][0] ?? '');
    return id.startsWith('AWS::') ? id : physical(id);
  });
  return z.object({ widgets: z.array(widget) }).parse(JSON.parse(text.join(''))).widgets;
}

/** CloudWatch's own period and statistic where the widget names none. */
const DEFAULT_PERIOD_SECONDS = 300;

export function readShown(given: Extract<Widget, { type: 'metric' }>['properties']['metrics'][number]): Shown {
  const words = given.filter((part) => typeof part === 'string');
  const [namespace = '', name = '', ...pairs] = words;
  const options = given.find((part) => typeof part !== 'string') ?? {};
  const dimensions = Object.fromEntries(
    Array.from({ length: pairs.length / 2 }, (_, index) => [pairs[2 * index] ?? '', pairs[2 * index + 1] ?? '']),
  );
  const { label = name, stat = 'Average', period = DEFAULT_PERIOD_SECONDS } = options;
  return { namespace, metric: name, dimensions, statistic: stat, periodMs: period * 1_000, label };
}
