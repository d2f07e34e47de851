import { DescribeRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { awsFailure, failureName } from '../../functions/aws/failures.ts';
import type { CertificateId } from '../../functions/core/certificate.ts';
import { MINUTE_MS } from '../../functions/core/time.ts';
import type { Account } from '../operator/account.ts';
import { resourcesOf, type StackResource } from '../operator/deployed-stack.ts';
import { checking, fault, fine, type Finding, warning } from './finding.ts';

const DEPLOY_AGAIN = 'deploy the stack again (npx cdk deploy); its events say what went wrong';

/** What the deploy made, and whether it is in the state to work. */
export async function stackChecks(account: Account): Promise<readonly Finding[]> {
  const { stack, endpoint } = account;
  const resources: StackResource[] = [];
  const groups = [
    await checking('stack', async () => {
      resources.push(...(await resourcesOf(stack.name, endpoint.endpoint)));
      return stackFinding(account, resources);
    }),
    await checking('table', () => tableFinding(account)),
    ...(await Promise.all(
      rulesIn(resources, stack.busName).map((rule) => checking('rule', () => ruleFinding(account, rule))),
    )),
    ...(await Promise.all(
      queuesIn(resources).map(({ holds, work, url }) =>
        holds === 'hints'
          ? checking('queue', () => queueFinding(account, work, url))
          : checking('dead letters', () => deadLettersFinding(account, work, url)),
      ),
    )),
  ];
  return groups.flat();
}

function stackFinding({ stack }: Account, resources: readonly StackResource[]): Finding {
  const unfinished = resources.filter(({ status }) => !/^(?:CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status));
  const isSound = stack.status.endsWith('_COMPLETE') && !stack.status.includes('DELETE');
  if (!isSound) return fault('stack', `${stack.name} is ${stack.status}`, DEPLOY_AGAIN);
  const functions = resources.filter(({ type }) => type === 'AWS::Lambda::Function').length;
  return unfinished.length === 0
    ? fine('stack', `${stack.name} is ${stack.status}: ${resources.length} resources, ${functions} functions`)
    : fault('stack', `not finished: ${unfinished.map(({ logicalId }) => logicalId).join(', ')}`, DEPLOY_AGAIN);
}

/** The schedule takes up at once what falls due, an order of a busy issuer aside. */
const OVERDUE_MS = 15 * MINUTE_MS;
const MOST_COUNTED = 1_000;

/** The index that a tick reads, by reading it: what has been due for long was not taken up. */
async function tableFinding({ inventory, person }: Account): Promise<Finding> {
  const overdue: CertificateId[] = [];
  for await (const { certificate } of inventory.due(person.clock() - OVERDUE_MS, MOST_COUNTED))
    overdue.push(certificate);
  const [first, ...others] = overdue;
  if (first === undefined) return fine('table', 'what is due can be read, and nothing has been for long');
  const more = others.length === 0 ? '' : ` and ${others.length.toLocaleString('en')} more`;
  return warning(
    'table',
    `${first}${more} have been due for a quarter of an hour, and not been taken up`,
    'look at the rules and functions of the stack, and at the budget of their issuer',
  );
}

interface Rule {
  readonly name: string;
  /** Where to look for it. */
  readonly buses: readonly string[];
}

/** CloudFormation names a rule on a bus of one's own `BUS|RULE`; emulators leave the bus out. */
const rulesIn = (resources: readonly StackResource[], ownBus: string): readonly Rule[] =>
  resources
    .filter(({ type }) => type === 'AWS::Events::Rule')
    .map(({ physicalId }) => {
      const [name = '', bus] = physicalId.split('|').toReversed();
      return { name, buses: bus === undefined ? ['default', ownBus] : [bus] };
    });

async function ruleFinding(
  { endpoint }: Pick<Account, 'endpoint'>,
  { name, buses: [bus = 'default', ...others] }: Rule,
): Promise<Finding> {
  const client = new EventBridgeClient({ ...CLIENT_SETTINGS, ...endpoint });
  try {
    const { State } = await client.send(new DescribeRuleCommand({ Name: name, EventBusName: bus }));
    return State === 'ENABLED'
      ? fine('rule', `${name} is enabled`)
      : fault(
          'rule',
          `${name} on bus ${bus} is ${State ?? 'unknown'}: nothing is renewed without it`,
          `aws events enable-rule --name ${name} --event-bus-name ${bus}`,
        );
  } catch (error) {
    if (failureName(error) !== 'ResourceNotFoundException') throw awsFailure(error, `describing rule ${name}`);
  } finally {
    client.destroy();
  }
  if (others.length > 0) return ruleFinding({ endpoint }, { name, buses: others });
  return fault('rule', `${name} is gone: nothing is renewed without it`, DEPLOY_AGAIN);
}

interface WorkQueue {
  /** What its messages ask for. */
  readonly work: 'issuance' | 'deployment';
  readonly holds: 'hints' | 'what was given up on';
  readonly url: string;
}

/** Those of the pipeline: an app may have others in the same stack. */
const queuesIn = (resources: readonly StackResource[]): readonly WorkQueue[] =>
  resources.flatMap(({ type, logicalId, physicalId: url }) => {
    const [, scope, id] = /(Issuance|Deployment)(Queue|DeadLetters)[0-9A-F]{8}$/.exec(logicalId) ?? [];
    if (type !== 'AWS::SQS::Queue' || id === undefined) return [];
    return {
      work: scope === 'Issuance' ? ('issuance' as const) : ('deployment' as const),
      holds: id === 'Queue' ? ('hints' as const) : ('what was given up on' as const),
      url,
    };
  });

async function queueFinding(account: Account, work: WorkQueue['work'], url: string): Promise<Finding> {
  return fine('queue', `${await messagesIn(account, url)} certificates wait for ${work}`);
}

async function deadLettersFinding(account: Account, work: WorkQueue['work'], url: string): Promise<Finding> {
  const count = await messagesIn(account, url);
  return count === 0
    ? fine('dead letters', `none of ${work}`)
    : warning(
        'dead letters',
        `${count} messages of ${work} were given up on`,
        `look at one (aws sqs receive-message --queue-url ${url} --visibility-timeout 0) and at docs/runbook.md`,
      );
}

async function messagesIn({ endpoint }: Account, QueueUrl: string): Promise<number> {
  const client = new SQSClient({ ...CLIENT_SETTINGS, ...endpoint });
  try {
    const AttributeNames = ['ApproximateNumberOfMessages' as const];
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0);
  } catch (error) {
    throw awsFailure(error, `asking queue ${QueueUrl}`);
  } finally {
    client.destroy();
  }
}
