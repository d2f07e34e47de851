import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Resource {
  readonly Type: string;
  Properties: Record<string, unknown>;
  DependsOn?: string | string[];
}

export interface Template {
  readonly Resources: Record<string, Resource>;
}

export interface LeftOut {
  readonly type: string;
  readonly reason: string;
}

/**
 * Everything in which the deployed template differs from the one the app synthesizes: resource types that MiniStack 1.5.33
 * does not know. An entry that no template holds any more fails the run, as does a type that is missing.
 */
export const LEFT_OUT: readonly LeftOut[] = [
  { type: 'AWS::CloudWatch::CompositeAlarm', reason: 'an unknown type; what would ring is read off the template' },
  { type: 'AWS::CloudWatch::Dashboard', reason: 'it shows the composite alarm' },
  { type: 'AWS::Events::Archive', reason: 'nothing in the story is replayed' },
];

interface FilledIn {
  readonly MetricStat?: {
    readonly Metric: Readonly<Record<string, unknown>>;
    readonly Period: number;
    readonly Stat: string;
  };
}

/**
 * Alarms over metric math, of which MiniStack 1.5.33 knows none, are deployed as alarms over the metric that is filled in. Which of
 * them would ring is read off the template as it was synthesized. Throws where there is no such alarm any more.
 */
export function withoutMetricMath(template: Template): void {
  const alarms = Object.values(template.Resources).filter(
    ({ Type, Properties }) => Type === 'AWS::CloudWatch::Alarm' && Properties['Metrics'] !== undefined,
  );
  if (alarms.length === 0) throw new Error('no alarm has metric math: withoutMetricMath is not needed');
  for (const alarm of alarms) {
    const { Metrics, ...rest } = alarm.Properties;
    const measured = (Metrics as readonly FilledIn[]).find(({ MetricStat }) => MetricStat !== undefined)?.MetricStat;
    if (measured === undefined) throw new Error('an alarm over metric math has no metric');
    const { Metric, Period, Stat: Statistic } = measured;
    alarm.Properties = { ...rest, ...Metric, Period, Statistic };
  }
}

/** Everything in which the deployed manifest differs from the checkout's sample: fields of its ACME issuers. */
export const REDIRECTED = [
  { field: 'server', reason: "no test may ask Let's Encrypt; Pebble speaks the same protocol" },
  { field: 'caBundle', reason: "Pebble's HTTPS is vouched for by a CA of this run's own" },
  {
    field: 'cnameStrategy',
    reason: "a function looks CNAMEs up with its machine's own resolver, which knows none of this run's names",
  },
] as const;

/**
 * Everything in which the emulator differs from the MiniStack that is installed: four rules of Secrets Manager, two of Route
 * 53 and one of CloudFormation that it does not keep, each in AWS's own words. `host/corrected_ministack.py` mends them, and stops when one is kept.
 */
export const CORRECTED = [
  {
    departure: "a template's bucket is not looked for before the host",
    aws: 'S3 User Guide, virtual hosting of buckets: https://bucket-name.s3.region-code.amazonaws.com/key-name',
  },
  {
    departure: 'a secret is created with a version though no value was given',
    aws: 'CreateSecret: "If you include SecretString or SecretBinary, then Secrets Manager creates an initial version"',
  },
  {
    departure: "a secret's first version is not made current",
    aws: 'PutSecretValue: the first version of a secret gets the staging label AWSCURRENT, whatever labels were asked for',
  },
  {
    departure: 'a staging label is put on a second version and stays on the first',
    aws: 'PutSecretValue, VersionStages: a label of another version "is removed from the other version and attached to this version"',
  },
  {
    departure: 'a token is taken again with another value',
    aws: 'PutSecretValue, ClientRequestToken: with another value the operation fails "because you can\'t modify an existing secret version"',
  },
  {
    departure: 'a multivalue answer is taken beside a simple record of its name and type',
    aws: 'AWS re:Post, simple and multivalue routing: "You can\'t use multiple records of the same name and type with simple routing"',
  },
  {
    departure: 'a look at a change is authorized for no change in particular',
    aws: 'Service Authorization Reference, Route 53, GetChange: required resource type change, arn:${Partition}:route53:::change/${Id}',
  },
] as const;

/** Takes out the listed types. Answers those that it met. */
export function leaveOut({ Resources }: Template, listed: readonly LeftOut[]): readonly string[] {
  const types = new Set(listed.map(({ type }) => type));
  const gone = Object.entries(Resources).filter(([, { Type }]) => types.has(Type));
  for (const [id] of gone) delete Resources[id];
  const rest = JSON.stringify(Resources);
  const missed = gone.map(([id]) => id).filter((id) => rest.includes(`"${id}"`));
  if (missed.length > 0) throw new Error(`cannot leave out ${missed.join(', ')}: other resources refer to it`);
  return [...new Set(gone.map(([, { Type }]) => Type))];
}

/** Changes one stack's template in a cloud assembly. */
export function changeTemplate(assembly: string, stack: string, change: (template: Template) => void): void {
  const templateFile = join(assembly, `${stack}.template.json`);
  const template = JSON.parse(readFileSync(templateFile, 'utf8')) as Template;
  change(template);
  writeFileSync(templateFile, JSON.stringify(template));
  // The template's own asset is named by the hash of what was synthesized. Without its address the CDK command sends the file.
  const manifestFile = join(assembly, 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as {
    readonly artifacts: Readonly<Record<string, { readonly properties?: { stackTemplateAssetObjectUrl?: string } }>>;
  };
  delete manifest.artifacts[stack]?.properties?.stackTemplateAssetObjectUrl;
  writeFileSync(manifestFile, JSON.stringify(manifest));
}

/** A resource of a template, by its path in the app: `EverleafIssuanceQueue`. */
export function resourceAt({ Resources }: Template, path: string): Resource {
  const found = Object.entries(Resources).find(([id]) => id.slice(0, -8) === path);
  if (found === undefined) throw new Error(`the template has no ${path}; it has ${Object.keys(Resources).join(', ')}`);
  return found[1];
}
