import { Aspects, CfnResource, type IAspect, type Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { afterEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../functions/core/time.ts';
import type { WireCall } from '../../local/wire/call.ts';
import { AwsError } from '../../local/wire/service.ts';
import { readAtStart } from '../../local/workloads/programs.ts';
import { certificateYaml, manifestOf } from '../support/deployment.ts';
import { createEcsService } from '../support/ecs-services.ts';
import { watch, type Watch } from './watch.ts';

const SHOP = manifestOf(certificateYaml('shop'));
/** A day, and over: so long that attempts which began before are given up, and the daily cap is forgotten. */
const NEXT_DAY_MS = 25 * HOUR_MS;

const rung = new Set<string>();
const names = new Set<string>();
let watched: Watch | undefined;
afterEach(async () => {
  await watched?.close();
  watched = undefined;
});

async function start(...[options]: Parameters<typeof watch>): Promise<Watch> {
  watched = await watch(options);
  const { minutes, look, board } = watched;
  const noted = (ringing: readonly string[]): readonly string[] => {
    for (const name of ringing) rung.add(name);
    return ringing;
  };
  for (const name of board.names) names.add(name);
  return {
    ...watched,
    look: () => noted(look()),
    minutes: async (count) => noted(await minutes(count)),
  };
}

/** Refuses calls of one operation; the answer lets them pass again. */
function refuse({ deployment }: Watch, operation: string, principal = ''): () => void {
  return deployment.twin.use(async (call, next) => {
    if (call.operation !== operation || !call.principal.includes(principal)) return next();
    throw new AwsError('ValidationException', 'no');
  });
}

/** The CA answers nothing but that it is out of order. */
function breakCa({ deployment }: Watch): () => void {
  return deployment.twin.use(async (call, next) => {
    if (call.operation !== 'IssueCertificate') return next();
    throw new AwsError('InternalFailure', 'out of order', 500);
  });
}

/** Kills whoever makes such a call, as running out of memory would. */
function kill({ deployment }: Watch, isFatal: (call: WireCall) => boolean): () => void {
  return deployment.twin.use(async (call, next) => {
    if (isFatal(call)) await call.killCaller();
    return next();
  });
}

/** Changes a resource of the template, as somebody at the console might. */
const overriding =
  (path: string, property: string, value: unknown) =>
  (stack: Stack): void => {
    const change: IAspect = {
      visit: (node: IConstruct) => {
        if (CfnResource.isCfnResource(node) && node.node.path.startsWith(`Everleaf/Everleaf/${path}`)) {
          node.addPropertyOverride(property, value);
        }
      },
    };
    Aspects.of(stack).add(change);
  };

describe('a quiet fleet', () => {
  it('rings nothing', async () => {
    const { minutes } = await start({ manifest: SHOP });
    expect(await minutes(20)).toEqual([]);
  });
});

describe('a CA', () => {
  it('that refuses is told at once, pages when half of the time for renewal is gone, and when the certificate ends', async () => {
    const watch = await start({ manifest: SHOP });
    const { minutes, deployment, skip } = watch;
    expect(await minutes(20)).toEqual([]);
    const accept = refuse(watch, 'IssueCertificate');
    skip(61 * DAY_MS);
    expect(await minutes(20)).toEqual(['CertificateBlocked']);
    skip(15 * DAY_MS);
    expect(await minutes(20)).toEqual(['CertificateBlocked', 'ExpiryNear', 'Page']);
    skip(14 * DAY_MS);
    expect(await minutes(20)).toEqual(['CertificateBlocked', 'CertificateExpired', 'ExpiryNear', 'Page']);
    accept();
    await deployment.requestRenewal('shop');
    expect(await minutes(20)).toEqual([]);
  });

  it('that fails is told when it goes on, with what was never issued, and no more when it mends itself', async () => {
    const watch = await start({ manifest: SHOP });
    const { minutes, skip } = watch;
    const mend = breakCa(watch);
    expect(await minutes(20)).toEqual([]);
    skip(2 * HOUR_MS);
    expect(await minutes(20)).toEqual(['NotIssued', 'RenewalFailing']);
    mend();
    skip(NEXT_DAY_MS);
    expect(await minutes(20)).toEqual([]);
  });

  it('that fails everybody is left alone, and that is told for an hour', async () => {
    const shops = Array.from({ length: 6 }, (_, index) => certificateYaml(`shop-${index}`));
    const watch = await start({ manifest: manifestOf(...shops) });
    const { minutes } = watch;
    const mend = breakCa(watch);
    await minutes(10);
    mend();
    expect(await minutes(20)).toEqual(['CircuitOpen']);
    expect(await minutes(65)).toEqual([]);
  });
});

describe('a certificate', () => {
  it('that is ordered all day is put off, and that is told', async () => {
    const { minutes, deployment, skip } = await start({ manifest: SHOP });
    for (let order = 0; order < 6; order++) {
      await minutes(5);
      await deployment.requestRenewal('shop');
    }
    expect(await minutes(5)).toEqual(['DailyCapReached']);
    skip(NEXT_DAY_MS);
    expect(await minutes(20)).toEqual([]);
  });

  it('whose leaf its CA does not revoke is told of after two hours, in the manifest or not, until it does', async () => {
    const watch = await start({ manifest: SHOP });
    const { minutes, deployment, skip } = watch;
    await minutes(5);
    const mend = refuse(watch, 'RevokeCertificate');
    await deployment.requestRevocation('shop');
    expect(await minutes(60)).toEqual([]);
    await deployment.deploy(manifestOf());
    expect(await minutes(75)).toEqual(['RevocationFailing']);
    mend();
    skip(NEXT_DAY_MS);
    expect(await minutes(20)).toEqual([]);
  });

  it('that is taken out of the manifest falls silent', async () => {
    const watch = await start({ manifest: manifestOf(certificateYaml('shop'), certificateYaml('desk')) });
    const { minutes, deployment, skip } = watch;
    await minutes(5);
    refuse(watch, 'IssueCertificate');
    skip(80 * DAY_MS);
    expect(await minutes(20)).toEqual(['CertificateBlocked', 'ExpiryNear', 'Page']);
    await deployment.deploy(manifestOf());
    expect(await minutes(20)).toEqual([]);
  });

  it('that waits because its issuer takes no more is told of as a budget that is spent', async () => {
    const limited = SHOP.replace(
      '{ name: internal }',
      "{ name: internal, annotations: { everleaf.dev/order-limit: '20/24h' } }",
    );
    const { minutes, deployment, skip } = await start({ manifest: limited });
    const shops = Array.from({ length: 19 }, (_, index) => certificateYaml(`shop-${index}`)).join('---\n');
    await deployment.deploy(`${limited}---\n${shops}`);
    // In the first hour the first orders still found plenty.
    expect(await minutes(60)).toEqual([]);
    await deployment.requestRenewal('shop');
    expect(await minutes(60)).toEqual(['IssuerBudgetLow']);
    skip(2 * HOUR_MS);
    expect(await minutes(60)).toEqual([]);
  });
});

describe('the way to a renewal', () => {
  it('that ends at a queue which takes nothing is told at once, and again as certificates that nobody takes up', async () => {
    const refusing = overriding('Issuance/Queue/Policy', 'PolicyDocument.Statement', []);
    const { minutes, skip } = await start({ manifest: SHOP, adapt: refusing });
    expect(await minutes(10)).toEqual(['RenewalDeliveryFailed']);
    skip(HOUR_MS);
    expect(await minutes(10)).toEqual(['NotIssued', 'RenewalDeliveryFailed', 'RenewalLate']);
  });

  it('that a poison message takes ends among the dead letters, until somebody takes it away', async () => {
    const { minutes, deployment } = await start({ manifest: SHOP });
    await minutes(5);
    await deployment.sendHint('poison');
    await minutes(40);
    expect(await minutes(5)).toEqual(['RenewalDeadLetters']);
    deployment.twin.queue('EverleafIssuanceDeadLetters').purge();
    expect(await minutes(10)).toEqual([]);
  });

  it('that kills its function is told of as errors, and as a message that gets nowhere', async () => {
    const watch = await start({ manifest: SHOP });
    const { minutes } = watch;
    const mend = kill(watch, ({ principal }) => principal.includes('Issue'));
    expect(await minutes(10)).toEqual(['IssueErrors']);
    expect(await minutes(25)).toEqual(['IssueErrors', 'RenewalQueueStuck']);
    mend();
  });
});

describe('a deployment', () => {
  const HOOK = `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata: { name: shop }
spec:
  certificateNames: [shop]
  ecs: { cluster: prod, services: [gone] }
`;
  const DEPLOYED = `${SHOP}---\n${HOOK}`;

  it('to a service that is gone is told until it is there', async () => {
    const { minutes, deployment, skip } = await start({ manifest: DEPLOYED });
    expect(await minutes(20)).toEqual(['NotDeployed']);
    await createEcsService(deployment, 'gone', readAtStart('Everleaf/shop-tls'));
    skip(NEXT_DAY_MS);
    expect(await minutes(20)).toEqual([]);
  });

  it('whose function dies is told of as errors, and as a message that gets nowhere and is given up on', async () => {
    const watch = await start({ manifest: DEPLOYED });
    const { minutes } = watch;
    kill(watch, ({ principal }) => principal.includes('Deploy'));
    expect(await minutes(10)).toEqual(['DeployErrors']);
    expect(await minutes(30)).toEqual(['DeployErrors', 'DeploymentQueueStuck']);
    expect(await minutes(20)).toEqual(['DeployErrors', 'DeploymentDeadLetters', 'DeploymentQueueStuck']);
  });

  it('that no rule brings to its queue is told', async () => {
    const refusing = overriding('Deployment/Queue/Policy', 'PolicyDocument.Statement', []);
    const { minutes } = await start({ manifest: DEPLOYED, adapt: refusing });
    expect(await minutes(10)).toEqual(['DeploymentDeliveryFailed']);
  });
});

describe('silence', () => {
  it('of the schedule pages within a quarter of an hour', async () => {
    const disabled = overriding('Detection/Schedule/Resource', 'State', 'DISABLED');
    const { minutes } = await start({ manifest: SHOP, adapt: disabled });
    await minutes(15);
    expect(await minutes(15)).toEqual(['HeartbeatMissing', 'Page']);
  });

  it('of a detect function that fails is an error first, and pages if it goes on', async () => {
    const watch = await start({ manifest: SHOP });
    await watch.minutes(20);
    const mend = refuse(watch, 'Query', 'Detect');
    expect(await watch.minutes(10)).toEqual(['DetectErrors']);
    expect(await watch.minutes(25)).toEqual(['DetectErrors', 'HeartbeatMissing', 'Page']);
    mend();
    expect(await watch.minutes(25)).toEqual([]);
  });

  it('of the survey is an error first, and pages if it goes on: nobody would know', async () => {
    const watch = await start({ manifest: SHOP });
    await watch.minutes(20);
    const mend = refuse(watch, 'Query', 'Survey');
    expect(await watch.minutes(10)).toEqual(['SurveyErrors']);
    expect(await watch.minutes(25)).toEqual(['Page', 'SurveyErrors', 'SurveyMissing']);
    mend();
    expect(await watch.minutes(25)).toEqual([]);
  });
});

describe('a deploy', () => {
  it('whose manifest cannot be applied is told', async () => {
    const watch = await start({ manifest: SHOP });
    await watch.minutes(5);
    const mend = kill(watch, ({ operation, principal }) => operation === 'GetObject' && principal.includes('Sync'));
    await expect(watch.deployment.deploy(manifestOf(certificateYaml('desk')))).rejects.toThrow(/signal: killed/);
    expect(watch.look()).toEqual(['SyncErrors']);
    mend();
    expect(await watch.minutes(10)).toEqual([]);
  });
});

// The last one: an alarm that nothing above makes ring may be one that nothing can.
it('every alarm has rung by now', () => {
  expect([...rung].sort()).toEqual([...names].sort());
});
