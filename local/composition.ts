import type { Account } from './account.ts';
import { DnsServer } from './dns/server.ts';
import { parsePolicy } from './iam/policy.ts';
import { Roles } from './iam/roles.ts';
import { Functions } from './lambda/functions.ts';
import { EventSourceMappings } from './lambda/mapping.ts';
import type { FunctionSettings, Outcome } from './lambda/sandbox.ts';
import { Network } from './network.ts';
import { CloudFormation } from './services/cloudformation.ts';
import { DynamoDb } from './services/dynamodb/dynamodb.ts';
import { EventBuses } from './services/events/bus.ts';
import { Ecs } from './services/ecs/ecs.ts';
import { Eks } from './services/eks.ts';
import { Events } from './services/events/events.ts';
import { Keys } from './services/kms.ts';
import { Route53 } from './services/route53/route53.ts';
import { S3 } from './services/s3.ts';
import { SecretsManager } from './services/secrets-manager.ts';
import { Queues } from './services/sqs/queues.ts';
import { FOREIGN_ROLE_POLICY } from './services/sts.ts';
import { Sqs } from './services/sqs/sqs.ts';
import { CustomResources } from './stack/custom-resource.ts';
import { Deployment } from './stack/deployment.ts';
import type { ResourceKind } from './stack/resource.ts';
import { Credentials } from './wire/credentials.ts';
import type { KeyWatch } from './wire/key-watch.ts';
import type { Wiring } from './wire/server.ts';
import type { JsonService } from './wire/service.ts';

export interface Composition {
  readonly credentials: Credentials;
  readonly roles: Roles;
  readonly queues: Queues;
  readonly functions: Functions;
  readonly mappings: EventSourceMappings;
  readonly buses: EventBuses;
  readonly tables: DynamoDb;
  readonly secrets: SecretsManager;
  readonly ecs: Ecs;
  readonly eks: Eks;
  readonly route53: Route53;
  readonly dns: DnsServer;
  readonly network: Network;
  readonly deployment: Deployment;
  readonly wiring: Wiring;
}

export interface CompositionOptions {
  readonly keyWatch: KeyWatch;
  readonly maxWorkers: number;
  readonly temporaryFolder: string;
  readonly services: (account: Account) => readonly JsonService[];
  readonly print: (settings: FunctionSettings, text: string) => void;
  readonly ended: (settings: FunctionSettings, outcome: Outcome) => void;
}

/** Every part of one account, joined. Nothing lives yet. */
export function compose(account: Account, options: CompositionOptions): Composition {
  const { keyWatch, maxWorkers, temporaryFolder, services, print, ended } = options;
  const { clock, endpoint, region } = account;
  const credentials = new Credentials();
  const roles = new Roles(account, parsePolicy(FOREIGN_ROLE_POLICY, 'a role of another account'));
  const keys = new Keys();
  const queues = new Queues(account, keys);
  const assets = new S3();
  const tables = new DynamoDb(account);
  const route53 = new Route53(clock);
  const secrets = new SecretsManager();
  const ecs = new Ecs(account, secrets);
  const eks = new Eks(account, (accessKeyId) => {
    const principal = credentials.find(accessKeyId);
    return principal === undefined ? undefined : { roleArn: principal.caller?.roleArn };
  });
  const dns = new DnsServer(
    (name, type) => route53.answers(name, type),
    () => clock.now(),
  );
  const network = new Network(() => dns.address);
  const host = { lag: clock.lag, endpoint, region, credentials, keyWatch, network, temporaryFolder, print, ended };
  const functions = new Functions({ ...host, account, roles, queues, assets, maxWorkers });
  const mappings = new EventSourceMappings(account, roles, queues, functions);
  const buses = new EventBuses(account, queues, functions);
  const customResources = new CustomResources(account, functions);
  const owners = [roles, keys, queues, tables, functions, mappings, buses, customResources];
  const kinds = new Map<string, ResourceKind>(owners.flatMap((owner) => Object.entries(owner.kinds)));
  const deployment = new Deployment(account, kinds, assets);
  const own = [
    new Sqs(queues, clock),
    new Events(account, buses),
    new CloudFormation(account, deployment),
    assets,
    tables,
    route53,
    secrets,
    ecs,
    eks,
  ];
  // The caller's own come last, and so take the place of one that has the same name.
  const all: JsonService[] = [...own, ...services(account)];
  const wiring: Wiring = {
    account,
    credentials,
    roles,
    keyWatch,
    services: new Map(all.map((service) => [service.signingName, service])),
    answerCustomResource: (path, answer) => customResources.answer(path, answer),
  };
  return {
    credentials,
    roles,
    queues,
    functions,
    mappings,
    buses,
    tables,
    secrets,
    ecs,
    eks,
    route53,
    dns,
    network,
    deployment,
    wiring,
  };
}
