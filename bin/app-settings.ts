import { type App, Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Tracing } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import * as z from 'zod/mini';
import { PermanentError } from '../functions/core/errors.ts';
import { nearest } from '../functions/core/manifest/nearest.ts';
import type { EverleafProps } from '../lib/everleaf-props.ts';

const text = z.string().check(z.minLength(1));
const arnOf = (service: string) => z.string().check(z.regex(new RegExp(`^arn:[\\w-]+:${service}:`)));
/** `-c` gives text, cdk.json numbers. */
const count = z.pipe(z.union([z.number(), z.string().check(z.regex(/^\d+$/))]), z.transform(Number));
/** An object in cdk.json; on the command line JSON. */
const mapOf = <Value extends z.core.$ZodType<string>>(value: Value) =>
  z.pipe(
    z.transform((given: unknown) => (typeof given === 'string' ? parseJson(given) : given)),
    z.record(z.string(), value),
  );

function parseJson(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

const RETENTION_DAYS = Object.values(RetentionDays).filter((days): days is number => typeof days === 'number');

/** Every context value that the app reads, and what is allowed, in words. */
const SETTINGS = {
  manifest: [text, 'the folder of manifests'],
  stackName: [text, "the stack's name"],
  deployment: [text, "the deployment's name"],
  region: [text, 'a Region, such as eu-central-1'],
  lookEveryMinutes: [count, 'a whole number of minutes, 1 to 10'],
  maxConcurrency: [count, 'a whole number from 2 to 1000'],
  removalPolicy: [z.enum(['retain', 'destroy']), 'retain or destroy'],
  encryptionKey: [arnOf('kms'), 'the ARN of a KMS key'],
  replicaRegions: [mapOf(arnOf('kms')), 'Regions with the ARN of a KMS key in each: {"eu-west-1": "arn:aws:kms:…"}'],
  permissionsBoundary: [arnOf('iam'), 'the ARN of a managed policy'],
  tags: [mapOf(z.string()), 'names with their values: {"team": "platform"}'],
  logRetentionDays: [count, `one of ${RETENTION_DAYS.filter((days) => days < 9_999).join(', ')}`],
  tracing: [z.enum(['active', 'off']), 'active or off'],
  alarmTopic: [arnOf('sns'), 'the ARN of an SNS topic'],
  noticeTopic: [arnOf('sns'), 'the ARN of an SNS topic'],
  alarmEmail: [z.string().check(z.regex(/^[^@\s]+@[^@\s]+$/)), 'one address'],
  vpc: [z.string().check(z.regex(/^vpc-[0-9a-f]+$/)), 'the id of a VPC, such as vpc-0a1b2c3d'],
  archiveDays: [z.union([z.literal('never'), count]), 'a whole number of days, or never'],
} as const;

type Name = keyof typeof SETTINGS;
type Settings = { readonly [Each in Name]?: z.output<(typeof SETTINGS)[Each][0]> };

/** What context says: cdk.json, and `-c name=value`. Throws for what is not allowed and for names that are none. */
export function readSettings(app: App): Settings {
  const given = app.node.getAllContext() as Readonly<Record<string, unknown>>;
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(SETTINGS, name)) {
      refuseUnknown(name);
      continue;
    }
    const [schema, allowed] = SETTINGS[name as Name];
    const parsed = z.safeParse<z.core.$ZodType>(schema, value);
    if (!parsed.success) throw refused(`context value "${name}" is ${JSON.stringify(value)}; it must be ${allowed}`);
    settings[name] = parsed.data;
  }
  const days = settings['logRetentionDays'];
  if (typeof days === 'number' && !RETENTION_DAYS.includes(days)) {
    throw refused(`context value "logRetentionDays" is ${days}; it must be ${SETTINGS.logRetentionDays[1]}`);
  }
  return settings;
}

/** What `cdk acknowledge` and `cdk cli-telemetry` keep beside what they look up. */
const OF_THE_CDK: ReadonlySet<string> = new Set(['acknowledged-issue-numbers', 'cli-telemetry']);

/** The CDK's other names have a colon or an at sign in them, or a provider's name before one. */
function refuseUnknown(name: string): void {
  if (/[@:]/.test(name) || name.startsWith('cdk-') || OF_THE_CDK.has(name)) return;
  const meant = nearest(name, Object.keys(SETTINGS));
  const known = `There are ${Object.keys(SETTINGS).join(', ')}.`;
  throw refused(`there is no context value "${name}". ${meant === undefined ? known : `Did you mean "${meant}"?`}`);
}

const refused = (message: string): PermanentError => new PermanentError('SettingRefused', message);

/** The construct's props. Keys and policies that exist already are looked up in `stack`. */
export function propsOf(settings: Settings, stack: Stack): EverleafProps {
  const { lookEveryMinutes, maxConcurrency, removalPolicy, encryptionKey, replicaRegions = {} } = settings;
  const { permissionsBoundary, tags, logRetentionDays, tracing, archiveDays } = settings;
  const { alarmTopic, noticeTopic, alarmEmail, vpc } = settings;
  const topic = (id: string, arn: string | undefined) =>
    arn === undefined ? undefined : Topic.fromTopicArn(stack, id, arn);
  const replicas = Object.entries(replicaRegions).map(([region, arn]) => ({
    region,
    encryptionKey: Key.fromKeyArn(stack, `Key-${region}`, arn),
  }));
  return defined({
    manifest: settings.manifest ?? 'certificates',
    deployment: settings.deployment,
    lookEvery: lookEveryMinutes === undefined ? undefined : Duration.minutes(lookEveryMinutes),
    maxConcurrency,
    removalPolicy: removalPolicy === undefined ? undefined : REMOVAL[removalPolicy],
    encryptionKey: encryptionKey === undefined ? undefined : Key.fromKeyArn(stack, 'EncryptionKey', encryptionKey),
    replicaRegions: replicas,
    permissionsBoundary:
      permissionsBoundary === undefined
        ? undefined
        : ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', permissionsBoundary),
    tags,
    logRetention: logRetentionDays,
    tracing: tracing === 'off' ? Tracing.DISABLED : undefined,
    alarmTopic: topic('PageTopic', alarmTopic),
    noticeTopic: topic('NoticeTopic', noticeTopic),
    alarmEmail,
    vpc: vpc === undefined ? undefined : Vpc.fromLookup(stack, 'Vpc', { vpcId: vpc }),
    archiveEvents: typeof archiveDays === 'number' ? Duration.days(archiveDays) : archiveDays,
  });
}

const REMOVAL = { retain: RemovalPolicy.RETAIN, destroy: RemovalPolicy.DESTROY } as const;

type Defined<Given> = { [Key in keyof Given]: Exclude<Given[Key], undefined> };

/** Without what is undefined: the construct has the defaults. */
const defined = <Given extends object>(given: Given): Defined<Given> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<Given>;
