import { Stack, Validations } from 'aws-cdk-lib';
import { Policy, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct, IConstruct } from 'constructs';

interface Acknowledgement {
  /** Below the Everleaf construct. */
  readonly path: string;
  /** A rule of cdk-nag's packs AwsSolutions and Serverless. */
  readonly rule: string;
  /** For whoever reviews the stack. */
  readonly reason: string;
}

const TRACES =
  'X-Ray knows no resource for PutTraceSegments and PutTelemetryRecords; traces of this function are all it may send.';

const LOOKED_AGAIN = 'The next survey, five minutes later, looks at everything again; an alarm tells when none does.';

/** A rule of the bus, its queue with dead letters, and the function that reads it: `reader`, by its place below `path`. */
const delivery = (path: string, reader: string): readonly Acknowledgement[] => [
  {
    path: `${path}/${reader}/Function`,
    rule: 'Serverless-LambdaDLQ',
    reason: 'It is called by its queue alone, which has a dead-letter queue.',
  },
  {
    path: `${path}/${reader}/Function`,
    rule: 'Serverless-LambdaEventSourceMappingDestination',
    reason: 'For a queue as source Lambda knows no failure destination: the queue redrives to its dead letters.',
  },
  {
    path: `${path}/Due`,
    rule: 'Serverless-EventBusDLQ',
    reason: 'A hint that is lost is repeated by the next tick: the inventory is the truth, a message only a hint.',
  },
  {
    path: `${path}/DeadLetters`,
    rule: 'Serverless-SQSRedrivePolicy',
    reason: 'It is the dead-letter queue.',
  },
];

/**
 * Where the stack does otherwise than cdk-nag's rules would have it, and why. Apps that run cdk-nag find nothing that is not
 * answered here; the paths that an app lacks are passed over.
 */
const ACKNOWLEDGED: readonly Acknowledgement[] = [
  ...delivery('Issuance', 'Issue'),
  ...delivery('Deployment', 'Deploy'),
  {
    path: 'Deployment/Deploy/Role',
    rule: 'AwsSolutions-IAM5',
    reason: `${TRACES} Secrets go by the deployment's prefix and tag, and KMS keys only by way of Secrets Manager, for those secrets. Services and clusters are those that the manifest's hooks name, in whichever Region and account of this role they are; a deployment of a service has an id that ECS makes.`,
  },
  {
    path: 'AlarmTopic',
    rule: 'Serverless-SNSRedrivePolicy',
    reason: 'An e-mail that cannot be delivered is of no use in a queue; the alarm itself goes on ringing.',
  },
  { path: 'Detection/Detect/Role', rule: 'AwsSolutions-IAM5', reason: TRACES },
  { path: 'Ready/Role', rule: 'AwsSolutions-IAM5', reason: TRACES },
  { path: 'Survey/Survey/Role', rule: 'AwsSolutions-IAM5', reason: TRACES },
  {
    path: 'ManifestSync/Sync/Role',
    rule: 'AwsSolutions-IAM5',
    reason: `${TRACES} Of the CDK's asset bucket it reads JSON only; not one object by name, because IAM takes longer to believe a changed policy than CloudFormation to call the function.`,
  },
  {
    path: 'Issuance/Issue/Role',
    rule: 'AwsSolutions-IAM5',
    reason: `${TRACES} Secrets go by the deployment's prefix and tag, since ten thousand would not fit into a role's 10,240 characters; KMS keys only by way of Secrets Manager, and for those secrets; hosted zones only for TXT records at _acme-challenge names.`,
  },
  {
    path: 'ManifestSync/Sync/Function',
    rule: 'Serverless-LambdaDLQ',
    reason: 'CloudFormation calls it and waits for its answer: a failure fails the deployment, where it is seen.',
  },
  {
    path: 'Ready/Function',
    rule: 'Serverless-LambdaDLQ',
    reason: 'CloudFormation calls it and waits for its answer: a failure fails the deployment, where it is seen.',
  },
  {
    path: 'Detection/Detect/Function',
    rule: 'Serverless-LambdaDLQ',
    reason: 'The next tick, a minute later, looks at everything again; an alarm tells when ticks fail.',
  },
  {
    path: 'Detection/Detect/Function',
    rule: 'Serverless-LambdaAsyncFailureDestination',
    reason: 'The next tick, a minute later, looks at everything again; an alarm tells when ticks fail.',
  },
  {
    path: 'Survey/Survey/Function',
    rule: 'Serverless-LambdaDLQ',
    reason: LOOKED_AGAIN,
  },
  {
    path: 'Survey/Survey/Function',
    rule: 'Serverless-LambdaAsyncFailureDestination',
    reason: LOOKED_AGAIN,
  },
  {
    path: 'Survey/Schedule',
    rule: 'Serverless-EventBusDLQ',
    reason: LOOKED_AGAIN,
  },
  {
    path: 'Detection/Schedule',
    rule: 'Serverless-EventBusDLQ',
    reason: 'A tick that is lost is made up for by the next; an alarm tells when none comes for fifteen minutes.',
  },
];

export function acknowledgeFindings(everleaf: Construct): void {
  for (const { path, rule, reason } of ACKNOWLEDGED) {
    const found = path.split('/').reduce<IConstruct | undefined>((scope, id) => scope?.node.tryFindChild(id), everleaf);
    if (found === undefined) continue;
    const ids = found instanceof Role ? wildcardsOf(found).map((wildcard) => `${rule}[Resource::${wildcard}]`) : [rule];
    for (const id of ids) Validations.of(found).acknowledge({ id, reason });
  }
}

/** Resources with an asterisk that a role was granted, as cdk-nag writes them: `arn:<AWS::Partition>:…`. */
function wildcardsOf(role: Role): readonly string[] {
  const policy = role.node.tryFindChild('DefaultPolicy');
  if (!(policy instanceof Policy)) return [];
  const { Statement } = Stack.of(role).resolve(policy.document) as {
    readonly Statement: readonly { readonly Resource: unknown }[];
  };
  const resources = Statement.flatMap(({ Resource }) => [Resource].flat()).map(inWords);
  return resources.filter((resource) => resource.includes('*'));
}

function inWords(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value).replaceAll('${', '<').replaceAll('}', '>');
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::Sub': sub } = value as Readonly<Record<string, unknown>>;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(inWords).join(String(join[0]));
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
  return sub === undefined ? `<${String(Ref)}>` : inWords(sub);
}
