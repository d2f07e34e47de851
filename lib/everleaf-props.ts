import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Tracing } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ReplicaRegion } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { PermanentError } from '../functions/core/errors.ts';

export interface EverleafProps {
  /** The folder of cert-manager documents, relative to the working directory. */
  readonly manifest: string;
  /**
   * Names the deployment: the first part of every secret's name and the value of its tag. Two deployments in one account and
   * Region need two names, and one that is to take up an earlier one's secrets needs that one's name.
   * @default the stack's name
   */
  readonly deployment?: string;
  /**
   * How often to look for what is due, 1 to 10 whole minutes.
   * @default every minute
   */
  readonly lookEvery?: Duration;
  /**
   * Issue functions that may run at once, 2 to 1000, each on ten certificates.
   * @default 10
   */
  readonly maxConcurrency?: number;
  /**
   * What becomes of the inventory and of the key when the stack goes: RETAIN or DESTROY. Secrets stay in either case; without
   * their key nobody can read them.
   * @default RemovalPolicy.RETAIN, with deletion protection
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Encrypts every secret. Its policy has to let this account's roles use it by way of Secrets Manager.
   * @default a key of the deployment's own, rotated once a year
   */
  readonly encryptionKey?: IKey;
  /**
   * Other Regions that get a replica of each secret, each with the key that encrypts it there. Replicas follow by themselves.
   * Holds for secrets that are created from now on.
   * @default none
   */
  readonly replicaRegions?: readonly ReplicaRegion[];
  /**
   * The most that any role of the deployment may do.
   * @default no boundary
   */
  readonly permissionsBoundary?: IManagedPolicy;
  /**
   * Put on every resource, and on every secret that is created from now on; at most 20.
   * @default none but the deployment's own
   */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * How long logs are kept.
   * @default RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: RetentionDays;
  /**
   * AWS X-Ray traces of every function.
   * @default Tracing.ACTIVE
   */
  readonly tracing?: Tracing;
  /**
   * How long what happened can be replayed to the bus's subscribers, 1 day or more in whole days; "never" keeps nothing.
   * @default 14 days
   */
  readonly archiveEvents?: Duration | 'never';
  /**
   * Where endpoints and clusters are that the internet does not reach: the deploy function joins its private subnets. What it
   * needs there is in docs/deploy-hooks.md.
   * @default none: it asks from outside
   */
  readonly vpc?: IVpc;
  /**
   * Told when somebody has to get up, and when that is over: a topic that wakes people.
   * @default nobody is
   */
  readonly alarmTopic?: ITopic;
  /**
   * Told of every other alarm: a topic that people read in the morning.
   * @default nobody is
   */
  readonly noticeTopic?: ITopic;
  /**
   * An address that is told of all alarms. Amazon SNS asks it to confirm, once.
   * @default none
   */
  readonly alarmEmail?: string;
}

/** What of the props has a default, filled in and checked. */
export interface EverleafSettings {
  readonly deployment: string;
  readonly lookEvery: Duration;
  readonly maxConcurrency: number;
  readonly removalPolicy: RemovalPolicy;
  readonly replicaRegions: readonly ReplicaRegion[];
  readonly tags: Readonly<Record<string, string>>;
  readonly logRetention: RetentionDays;
  readonly tracing: Tracing;
  readonly archiveEvents: Duration | undefined;
}

/** Tags and replicas go to a function by its environment, which ends at 4 KB. */
const MOST_TAGS = 20;
const MOST_TAG_BYTES = 2_000;
const MOST_REPLICAS = 5;

/** Throws an error that names the prop, the value seen and what is allowed. */
export function settingsOf(
  props: EverleafProps,
  { stackName, region }: { readonly stackName: string; readonly region: string },
): EverleafSettings {
  const { lookEvery = Duration.minutes(1), maxConcurrency = 10, removalPolicy = RemovalPolicy.RETAIN } = props;
  const { replicaRegions = [], tags = {}, logRetention = RetentionDays.THREE_MONTHS, tracing = Tracing.ACTIVE } = props;
  const { archiveEvents = Duration.days(14) } = props;
  const deployment = props.deployment ?? stackName;
  expect(
    !Token.isUnresolved(deployment) && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(deployment),
    `deployment is "${deployment}"; it must be 1 to 64 letters, digits, dots, hyphens or underscores, and known at synthesis`,
  );
  const seconds = lookEvery.toSeconds();
  expect(
    seconds % 60 === 0 && seconds >= 60 && seconds <= 600,
    `lookEvery is ${seconds} s; it must be 1 to 10 whole minutes: nothing looked at for 15 raises an alarm`,
  );
  expect(
    Number.isInteger(maxConcurrency) && maxConcurrency >= 2 && maxConcurrency <= 1000,
    `maxConcurrency is ${maxConcurrency}; it must be a whole number from 2 to 1000`,
  );
  expect(
    removalPolicy === RemovalPolicy.RETAIN || removalPolicy === RemovalPolicy.DESTROY,
    `removalPolicy is "${removalPolicy}"; it must be RemovalPolicy.RETAIN or RemovalPolicy.DESTROY`,
  );
  checkReplicas(replicaRegions, region);
  checkTags(tags);
  const archived = archiveEvents === 'never' ? undefined : archiveEvents;
  expect(
    archived === undefined || (archived.toSeconds() >= 86_400 && archived.toSeconds() % 86_400 === 0),
    `archiveEvents is ${archived?.toHumanString()}; it must be a number of whole days, or "never"`,
  );
  return {
    deployment,
    lookEvery,
    maxConcurrency,
    removalPolicy,
    replicaRegions,
    tags,
    logRetention,
    tracing,
    archiveEvents: archived,
  };
}

function checkReplicas(replicas: readonly ReplicaRegion[], ownRegion: string): void {
  const regions = replicas.map(({ region }) => region);
  for (const region of regions) {
    expect(
      /^[a-z]{2}(?:-[a-z]+)+-\d$/.test(region),
      `replicaRegions names "${region}"; each must be a Region, such as eu-central-1`,
    );
  }
  const twice = regions.find((region, index) => regions.indexOf(region) !== index);
  expect(twice === undefined, `replicaRegions names ${twice} twice; each Region takes one replica`);
  expect(
    !regions.includes(ownRegion),
    `replicaRegions names ${ownRegion}, where the secrets themselves are; a replica goes to another Region`,
  );
  const keyless = replicas.find(({ encryptionKey }) => encryptionKey === undefined);
  expect(
    keyless === undefined,
    `replicaRegions names no encryptionKey for ${keyless?.region}; each Region needs a key of its own: Key.fromKeyArn(this, 'Key', 'arn:aws:kms:${keyless?.region}:…')`,
  );
  expect(
    regions.length <= MOST_REPLICAS,
    `replicaRegions names ${regions.length} Regions; at most ${MOST_REPLICAS} are allowed`,
  );
}

function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  expect(entries.length <= MOST_TAGS, `tags has ${entries.length} tags; at most ${MOST_TAGS} are allowed`);
  for (const [key, value] of entries) {
    expect(
      /^(?!aws:|everleaf:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,64}$/iu.test(key),
      `tags has the key "${key}"; it must be 1 to 64 letters, digits, spaces or _.:/=+-@, and begin neither with "aws:" nor with "everleaf:"`,
    );
    expect(
      /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,64}$/u.test(value),
      `tags.${key} is "${value}"; it must be at most 64 letters, digits, spaces or _.:/=+-@, and known at synthesis`,
    );
  }
  const bytes = Buffer.byteLength(JSON.stringify(tags));
  expect(bytes <= MOST_TAG_BYTES, `tags takes ${bytes} bytes as JSON; at most ${MOST_TAG_BYTES} are allowed`);
}

function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new PermanentError('PropRefused', `Everleaf: ${otherwise}`);
}
