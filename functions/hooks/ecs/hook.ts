import { createHash } from 'node:crypto';
import type { Service, ServiceDeployment, ServiceDeploymentBrief } from '@aws-sdk/client-ecs';
import { PermanentError } from '../../core/errors.ts';
import type { Step, Ticket } from '../../core/ports.ts';
import type { Deployed, DeployHook, DeployRequest, HookContext, Release } from '../../core/rollout/ports.ts';
import type { EcsOptions } from './options.ts';
import { ROLLOUT_TAG } from './plugin.ts';
import type { EcsService } from './service.ts';
import { countReferences, pinned } from './task-definition.ts';

/** A task needs half a minute to start at best. */
const CHECK_AFTER_SECONDS = 20;

/** Looks for a deployment that UpdateService took on and did not name. ECS is consistent within seconds. */
const LOOKS_FOR_UNNAMED = 3;

type Status = NonNullable<ServiceDeployment['status']>;
const TAKEN_BACK: ReadonlySet<Status | undefined> = new Set(['ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED']);

/**
 * Brings a version to one ECS service, by a deployment of the service that begins after the version has become current.
 *
 * UpdateService knows no idempotency token, and who is killed after it has no ticket. So the intent goes first, into a tag of
 * the service: which roll-out, and which deployment was the latest before it.
 *
 *     tag "R, after D1" ─▶ UpdateService (begins D2) ─▶ ticket D2
 *                   ╰─ killed: the latest is still D1, so it has not begun
 *                                               ╰─ killed: the latest is not D1, so D2 is this roll-out's
 *
 * No clock is compared. Should somebody else have begun D2 in between, its tasks read the version as well, and one
 * deployment is enough; only where the task definition has to name the version, it must be seen to do so.
 */
export function ecsHook(
  { strategy, region }: EcsOptions,
  service: EcsService,
  { log }: Pick<HookContext, 'log'>,
): DeployHook {
  const pins = strategy === 'PinVersion';

  async function start(request: DeployRequest): Promise<Step<Deployed>> {
    const state = await service.describe();
    requireOwnController(state, service.name);
    const latest = await service.latestDeployment();
    const mark = markOf(request);
    const begun = deploymentSince(state, latest, mark);
    if (begun !== undefined && (!pins || TAKEN_BACK.has(begun.status) || (await isPinned(state, request.release)))) {
      return follow(begun);
    }
    // Anew also where a stranger's deployment came in between: that one is then what "latest before it" means.
    await service.tag(state.serviceArn ?? '', ROLLOUT_TAG, `${mark}:${idOf(latest)}`);
    const updated = await service.deploy(pins ? await pinnedDefinition(state, request.release) : undefined);
    const arn = updated.currentServiceDeployment;
    log('deployment begun', { service: service.name, deployment: arn, taskDefinition: updated.taskDefinition });
    // UpdateService may still answer the one before. The next look finds the new one by the tag.
    const isNew = arn !== undefined && arn !== latest?.serviceDeploymentArn;
    return waiting(isNew ? { deployment: arn } : { looks: '0' });
  }

  async function check(request: DeployRequest, { deployment: arn, looks }: Ticket): Promise<Step<Deployed>> {
    if (arn === undefined) return findUnnamed(request, Number(looks ?? 0) + 1);
    const deployment = await service.deployment(arn);
    // Not seen yet. One that ECS has forgotten is 90 days old, and no roll-out waits so long.
    if (deployment === undefined) return waiting({ deployment: arn });
    const { status } = deployment;
    if (status === 'SUCCESSFUL') return finish(request, deployment);
    if (TAKEN_BACK.has(status)) throw undone(service.name, deployment);
    if (status !== 'STOPPED') return waiting({ deployment: arn });
    // A newer deployment of the service takes the place of one that is under way, and reads the version just as well.
    const latest = await service.latestDeployment();
    if (latest === undefined || latest.serviceDeploymentArn === arn) throw undone(service.name, deployment);
    log('deployment superseded', { service: service.name, deployment: arn, by: latest.serviceDeploymentArn });
    return follow(latest);
  }

  async function findUnnamed(request: DeployRequest, looks: number): Promise<Step<Deployed>> {
    const begun = deploymentSince(await service.describe(), await service.latestDeployment(), markOf(request));
    if (begun !== undefined) return follow(begun);
    return looks >= LOOKS_FOR_UNNAMED ? start(request) : waiting({ looks: String(looks) });
  }

  async function finish(request: DeployRequest, deployment: ServiceDeployment): Promise<Step<Deployed>> {
    if (pins && !(await isPinned(await service.describe(), request.release))) {
      // Somebody has deployed a task definition that names another version: another certificate's roll-out, it may be.
      log('deployment without the version', { service: service.name, deployment: deployment.serviceDeploymentArn });
      return start(request);
    }
    const { sourceServiceRevisions = [], targetServiceRevision } = deployment;
    const older = sourceServiceRevisions.filter(({ arn }) => arn !== targetServiceRevision?.arn);
    const replacedAll = older.every(({ runningTaskCount = 0 }) => runningTaskCount === 0);
    return { status: 'done', value: { replacedAll } };
  }

  async function isPinned({ taskDefinition = '' }: Service, release: Release): Promise<boolean> {
    const { definition } = await service.taskDefinition(taskDefinition);
    const { all, pinned: count } = countReferences(definition, release);
    return all > 0 && count === all;
  }

  /** ARN of a revision that names the version: the present one, the family's latest if a killed run left it, or a new one. */
  async function pinnedDefinition({ taskDefinition = '' }: Service, release: Release): Promise<string> {
    const { definition, tags } = await service.taskDefinition(taskDefinition);
    const { all, pinned: count } = countReferences(definition, release);
    if (all === 0) throw notReferenced(service.name, taskDefinition, release);
    if (count === all) return taskDefinition;
    const wanted = pinned(definition, tags, release);
    const latest = await service.taskDefinition(wanted.family ?? '');
    const leftBehind = JSON.stringify(pinned(latest.definition, latest.tags, release)) === JSON.stringify(wanted);
    const names = countReferences(latest.definition, release);
    if (leftBehind && names.pinned === names.all) return latest.definition.taskDefinitionArn ?? taskDefinition;
    return service.register(wanted);
  }

  return { start, check, ...(region === undefined ? {} : { readsIn: region }) };
}

/** A tag's value has 256 characters of few kinds; a roll-out's id may have others. */
const markOf = ({ rolloutId }: DeployRequest): string =>
  createHash('sha256').update(rolloutId).digest('hex').slice(0, 32);

const idOf = (deployment: ServiceDeploymentBrief | undefined): string =>
  deployment?.serviceDeploymentArn?.split('/').at(-1) ?? 'none';

/** The deployment that began after the tag of this roll-out was written, if both did. */
function deploymentSince(
  { tags = [] }: Service,
  latest: ServiceDeploymentBrief | undefined,
  mark: string,
): ServiceDeploymentBrief | undefined {
  const [, before] = new RegExp(`^${mark}:(.+)$`).exec(tags.find(({ key }) => key === ROLLOUT_TAG)?.value ?? '') ?? [];
  return before === undefined || idOf(latest) === before ? undefined : latest;
}

function requireOwnController({ deploymentController }: Service, name: string): void {
  const { type = 'ECS' } = deploymentController ?? {};
  if (type === 'ECS') return;
  throw new PermanentError(
    'ControllerNotSupported',
    `ECS service ${name} is deployed by the controller ${type}; use ECS's own (rolling or blue/green), or subscribe to ` +
      `"Certificate Rotated" and begin the deployment there`,
  );
}

const follow = ({ serviceDeploymentArn = '' }: ServiceDeploymentBrief): Step<Deployed> =>
  waiting({ deployment: serviceDeploymentArn });

const waiting = (ticket: Ticket): Step<Deployed> => ({
  status: 'waiting',
  ticket,
  checkAfterSeconds: CHECK_AFTER_SECONDS,
});

function undone(
  name: string,
  { serviceDeploymentArn, status, statusReason, rollback }: ServiceDeployment,
): PermanentError {
  const why = [rollback?.reason, statusReason].filter((reason) => reason !== undefined).join('; ');
  return new PermanentError(
    'DeploymentUndone',
    `ECS service ${name}: deployment ${serviceDeploymentArn} ended ${status}${why === '' ? '' : `: ${why}`}; see the ` +
      `service's events and the logs of its stopped tasks`,
  );
}

const notReferenced = (name: string, taskDefinition: string, { ref }: Release): PermanentError =>
  new PermanentError(
    'SecretNotReferenced',
    `ECS service ${name}: no container of ${taskDefinition} has a secret whose valueFrom is ${ref}; add it, or use ` +
      `strategy ForceNewDeployment if the service reads the secret itself`,
  );
