import { ECSClient } from '@aws-sdk/client-ecs';
import { SecretsManagerClient, UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DeployHook, HookTarget } from '../../functions/core/rollout/ports.ts';
import { ecsHook } from '../../functions/hooks/ecs/hook.ts';
import type { EcsOptions } from '../../functions/hooks/ecs/options.ts';
import { ecs } from '../../functions/hooks/ecs/plugin.ts';
import { connectEcs, ecsService } from '../../functions/hooks/ecs/service.ts';
import type { EcsService, EcsServiceOptions } from '../../local/services/ecs/service.ts';
import { Twin } from '../../local/twin.ts';
import { AwsError } from '../../local/wire/service.ts';
import { DROPPED } from '../../local/wire/call.ts';
import { injected, type Program, readAtStart } from '../../local/workloads/programs.ts';
import { bundleMaker, type Made, ReleasedSecret, servedOn } from '../support/releases.ts';
import { synthesizeOnce } from '../support/roles.ts';
import { deployHookContract, finished, type HookUnderTest, requestFor } from './deploy-hook.contract.ts';

const NAME = 'web.internal.example';
const EXECUTION_ROLE = 'arn:aws:iam::111122223333:role/web-execution';
/** So few that each is named in the grants. */
const MOST_SERVICES = 25;

/** What the role of the deploy function is granted: the plug-in's own wishes, for services that a document names. */
function targetsOf(strategy: EcsOptions['strategy']): readonly HookTarget<EcsOptions>[] {
  const prefix = strategy === 'PinVersion' ? 'pinned' : 'restarted';
  const services = Array.from({ length: MOST_SERVICES }, (_, index) => `${prefix}-${index}`);
  const pinning = strategy === 'PinVersion' ? { passRoles: [EXECUTION_ROLE] } : {};
  const parsed = ecs.parse({ cluster: 'prod', services, strategy, ...pinning }, ['spec', 'ecs']);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
  return parsed.options;
}

let twin: Twin;
let secrets: SecretsManagerClient;
let make: () => Promise<Made>;
const numbered = { ForceNewDeployment: 0, PinVersion: 0 };

beforeAll(async () => {
  const assembly = synthesizeOnce((stack) => {
    for (const strategy of ['ForceNewDeployment', 'PinVersion'] as const) {
      const role = new Role(stack, `${strategy}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
      for (const { actions, resources, conditions } of ecs.needs(targetsOf(strategy))) {
        role.addToPolicy(
          new PolicyStatement({
            actions: [...actions],
            resources: [...resources],
            ...(conditions === undefined ? {} : { conditions }),
          }),
        );
      }
    }
  });
  twin = await Twin.start({ assemblyDir: assembly.directory });
  assembly.remove();
  secrets = new SecretsManagerClient(connection());
  ({ make } = await bundleMaker(NAME, twin.clock.now()));
});
afterAll(async () => {
  secrets.destroy();
  await twin.close();
});

const connection = () => ({
  endpoint: twin.endpoint,
  region: twin.account.region,
  credentials: twin.operatorCredentials,
  maxAttempts: 1,
});

interface EcsUnderTest extends HookUnderTest {
  readonly service: EcsService;
  readonly secret: ReleasedSecret;
}

async function serviceUnderTest(
  strategy: EcsOptions['strategy'],
  extra: Partial<EcsServiceOptions> = {},
): Promise<EcsUnderTest> {
  const number = numbered[strategy]++;
  const target = targetsOf(strategy)[number];
  if (target === undefined) throw new Error('no such service');
  const secret = await ReleasedSecret.create(secrets, `web-${strategy}-${number}`, make);
  const first = await secret.next();
  const pins = strategy === 'PinVersion';
  const reference = (key: string): string => `${secret.arn}:${key}::${pins ? first.version : ''}`;
  const taskDefinition = twin.ecs.register({
    family: target.options.service,
    executionRoleArn: EXECUTION_ROLE,
    cpu: '256',
    tags: [{ key: 'team', value: 'web' }],
    containerDefinitions: [
      {
        name: 'web',
        image: 'web:1',
        environment: [{ name: 'MODE', value: 'production' }],
        secrets: pins
          ? [
              { name: 'TLS_CRT', valueFrom: reference('tls.crt') },
              { name: 'TLS_KEY', valueFrom: reference('tls.key') },
            ]
          : [],
      },
    ],
  });
  let spoilt = false;
  const program: Program = pins ? injected('TLS_CRT', 'TLS_KEY') : readAtStart(secret.arn);
  const { cluster, service: name } = target.options;
  const service = await twin.ecs.createService({ cluster, name, taskDefinition, ...extra }, async (surroundings) => {
    if (spoilt) throw new Error('exit code 1');
    return program(surroundings);
  });
  // Under the role that has what the plug-in asks for, and nothing else.
  const client = new ECSClient({ ...connection(), credentials: twin.credentialsOf(`${strategy}Role`) });
  const hook = async (): Promise<DeployHook> =>
    ecsHook(target.options, ecsService(target.options, client), { log: () => undefined });
  return {
    service,
    secret,
    hook,
    first,
    next: () => secret.next(),
    promote: async ({ version }) => {
      const current = twin.secrets.versions(secret.arn).find(({ labels }) => labels.has('AWSCURRENT'));
      const move = { MoveToVersionId: version, RemoveFromVersionId: current?.id };
      await secrets.send(
        new UpdateSecretVersionStageCommand({ SecretId: secret.arn, VersionStage: 'AWSCURRENT', ...move }),
      );
    },
    served: () => servedOn(service.balancer.port, NAME),
    deployments: () => service.deployments.length - 1,
    settled: () => twin.settled(),
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      twin.ecs.readyToRoll = () => promise;
      return () => {
        twin.ecs.readyToRoll = async () => undefined;
        resolve();
      };
    },
    spoil: () => {
      spoilt = true;
    },
    remove: () => twin.ecs.deleteService(service),
    interrupted: async (killAfter, work) => {
      let calls = 0;
      const remove = twin.use(async (_call, next) => {
        const answer = await next();
        return calls++ === killAfter ? DROPPED : answer;
      });
      await work().catch(() => undefined);
      remove();
      return calls;
    },
  };
}

deployHookContract('ECS, restarted, on the twin', () => serviceUnderTest('ForceNewDeployment'));
deployHookContract('ECS, with the version pinned, on the twin', () => serviceUnderTest('PinVersion'));

describe('ECS hook', () => {
  it('follows a newer deployment of the service that takes the place of its own', async () => {
    const under = await serviceUnderTest('ForceNewDeployment');
    const request = requestFor(await under.next());
    const release = under.hold();
    const begun = await (await under.hook()).start(request);
    under.service.deploy(under.service.taskDefinition, async () => undefined);
    release();
    await finished(under, request, begun);
    expect(under.service.deployments.map(({ status }) => status)).toEqual(['SUCCESSFUL', 'STOPPED', 'SUCCESSFUL']);
  });

  it('does not have the SDK repeat what begins a deployment', async () => {
    const under = await serviceUnderTest('ForceNewDeployment');
    const { cluster, name: service } = under.service.options;
    const { accessKeyId, secretAccessKey } = twin.credentialsOf('ForceNewDeploymentRole');
    vi.stubEnv('AWS_ENDPOINT_URL', twin.endpoint);
    vi.stubEnv('AWS_REGION', twin.account.region);
    vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
    onTestFinished(() => void vi.unstubAllEnvs());
    const connected = await connectEcs({ cluster, service, strategy: 'ForceNewDeployment', passRoles: [] });
    onTestFinished(
      twin.use(async (call, next) => {
        const answer = await next();
        return call.operation === 'UpdateService' ? DROPPED : answer;
      }),
    );
    await expect(connected.deploy(undefined)).rejects.toMatchObject({ class: 'transient', mayHaveActed: true });
    expect(under.deployments()).toBe(1);
  });

  it('finds the latest deployment on whatever page it is', async () => {
    const under = await serviceUnderTest('ForceNewDeployment');
    for (let round = 0; round < 4; round++) under.service.deploy(under.service.taskDefinition, async () => undefined);
    await under.settled();
    twin.ecs.mostListed = 2;
    onTestFinished(() => {
      twin.ecs.mostListed = 100;
    });
    const before = under.deployments();
    const request = requestFor(await under.next());
    await (await under.hook()).start(request);
    await under.settled();
    await finished(under, request, await (await under.hook()).start(request));
    expect(under.deployments() - before).toBe(1);
  });

  it('copies a task definition whole, with its tags, and pins each reference to the secret', async () => {
    const under = await serviceUnderTest('PinVersion');
    const request = requestFor(await under.next());
    await finished(under, request, await (await under.hook()).start(request));
    const { fields } = twin.ecs.definition(under.service.taskDefinition);
    expect(fields).toMatchObject({
      executionRoleArn: EXECUTION_ROLE,
      cpu: '256',
      tags: [{ key: 'team', value: 'web' }],
    });
    expect(fields.containerDefinitions).toMatchObject([
      {
        image: 'web:1',
        environment: [{ name: 'MODE', value: 'production' }],
        secrets: [
          { name: 'TLS_CRT', valueFrom: `${under.secret.arn}:tls.crt::${request.release.version}` },
          { name: 'TLS_KEY', valueFrom: `${under.secret.arn}:tls.key::${request.release.version}` },
        ],
      },
    ]);
  });

  it('says so when the task definition refers to the secret nowhere', async () => {
    const under = await serviceUnderTest('PinVersion');
    const release = { ...(await under.next()), ref: `${under.first.ref}-other` };
    await expect((await under.hook()).start(requestFor(release))).rejects.toMatchObject({
      code: 'SecretNotReferenced',
    });
    expect(under.deployments()).toBe(0);
  });

  it('does not take a deployment of another task definition for its own, and begins another one', async () => {
    const under = await serviceUnderTest('PinVersion');
    const request = requestFor(await under.next());
    const begun = await (await under.hook()).start(request);
    await under.settled();
    const [before] = under.service.deployments;
    under.service.deploy(before?.taskDefinition ?? '', async () => undefined);
    await finished(under, request, begun);
    const { fields } = twin.ecs.definition(under.service.taskDefinition);
    expect(fields.containerDefinitions[0]?.secrets).toContainEqual({
      name: 'TLS_KEY',
      valueFrom: `${under.secret.arn}:tls.key::${request.release.version}`,
    });
  });

  it('waits for its turn where another service of the family gets its revision', async () => {
    const under = await serviceUnderTest('PinVersion');
    const request = requestFor(await under.next());
    const remove = twin.use(async ({ operation }, next) => {
      if (operation !== 'RegisterTaskDefinition') return next();
      throw new AwsError(
        'ClientException',
        'Too many concurrent attempts to create a new revision of the specified family.',
      );
    });
    const started = (await under.hook()).start(request);
    await expect(started).rejects.toMatchObject({ class: 'transient', code: 'TargetBusy' });
    remove();
    await finished(under, request, await (await under.hook()).start(request));
  });

  it('goes by the list where ECS describes no deployment that replaces tasks of long ago', async () => {
    const under = await serviceUnderTest('ForceNewDeployment');
    const remove = twin.use(async ({ operation }, next) => {
      if (operation !== 'DescribeServiceDeployments') return next();
      const body = JSON.stringify({ serviceDeployments: [], failures: [{ arn: 'it', reason: 'MISSING' }] });
      return { status: 200, headers: {}, body };
    });
    const request = requestFor(await under.next());
    expect(await finished(under, request, await (await under.hook()).start(request))).toEqual({ replacedAll: true });
    remove();
    expect(under.deployments()).toBe(1);
  });

  it('refuses a service that another controller deploys', async () => {
    const under = await serviceUnderTest('ForceNewDeployment', { deploymentController: 'CODE_DEPLOY' });
    const started = (await under.hook()).start(requestFor(await under.next()));
    await expect(started).rejects.toMatchObject({ class: 'permanent', code: 'ControllerNotSupported' });
  });

  it('asks for no permission that it does not need', () => {
    expect(twin.unusedGrants().map(({ action }) => action)).toEqual([]);
  });
});
