import { dueAt } from '../../../functions/core/decide.ts';
import type { CertificateRecord } from '../../../functions/core/record.ts';
import type { Deployment } from '../../support/deployment.ts';
import { toNextTickMs } from '../days.ts';
import type { World } from './scenarios.ts';
import type { Wire } from './wire.ts';

/** What a certificate looked like before it was set going. */
export interface Before {
  readonly name: string;
  readonly generation: number;
  /** The version that consumers read; absent while there is none. */
  readonly version: string | undefined;
  readonly signed: number;
}

export async function before({ deployment, signed }: World, name: string): Promise<Before> {
  const { generation, current } = await deployment.record(name);
  return { name, generation, version: current?.version, signed: signed() };
}

/** More than any of these takes. */
const MOST_TICKS = 60;

/** Lets the schedule fire until the certificate rests, and nothing else. Answers what was wrong on the way. */
export async function converge({ deployment }: World, was: Before): Promise<readonly string[]> {
  const faults = new Set<string>();
  let served: Served | undefined;
  for (let tick = 0; tick < MOST_TICKS; tick++) {
    const record = await deployment.record(was.name);
    served = await servedBundle(deployment, record, was.name, served);
    for (const fault of duringFaults(record, was, served)) faults.add(fault);
    if (isAtRest(record, was)) return [...faults];
    await deployment.advance(toNextTickMs(dueAt(record) ?? 0, deployment.now()));
  }
  const { attempt, failures, outbox, abandoned } = await deployment.record(was.name);
  const state = JSON.stringify({ attempt: attempt?.phase, failures, outbox: outbox.length, abandoned });
  return [...faults, `never came to rest: ${state}`];
}

const isAtRest = (record: CertificateRecord, was: Before): boolean =>
  record.generation > was.generation &&
  record.attempt === undefined &&
  record.outbox.length === 0 &&
  record.abandoned === undefined &&
  record.revocations === undefined &&
  (record.lease?.expiresAt ?? 0) === 0;

interface Served {
  readonly version: string | undefined;
  readonly isComplete: boolean;
  /** Its chain holds, and its key is the leaf's. */
  readonly isSound: boolean;
}

async function servedBundle(
  { stages, bundle, operator, now }: Deployment,
  record: CertificateRecord,
  name: string,
  before: Served | undefined,
): Promise<Served> {
  // A secret that is not there yet has none.
  const labels: Readonly<Record<string, readonly string[]>> = await stages(name).catch(() => ({}));
  const current = Object.keys(labels).filter((version) => labels[version]?.includes('AWSCURRENT'));
  const [version] = current;
  if (version === undefined || current.length > 1) {
    return { version: current.length === 0 ? undefined : current.join(' and '), isComplete: false, isSound: true };
  }
  // What a version holds does not change.
  if (before?.version === version) return before;
  const { 'tls.crt': leaf } = await bundle(name, { VersionId: version });
  if (leaf === undefined) return { version, isComplete: false, isSound: true };
  return { version, isComplete: true, isSound: (await operator.faultOf(record, now())) === undefined };
}

/** The one that was current stays so until its successor is complete; what is current is never half of something. */
function duringFaults({ current, attempt }: CertificateRecord, was: Before, served: Served): readonly string[] {
  const successor = attempt?.phase === 'stored' ? attempt.version : current?.version;
  const allowed = [was.version, successor].filter((version) => version !== undefined);
  return [
    ...(served.isComplete && served.version !== undefined && !allowed.includes(served.version)
      ? [`a version was served that the ledger does not know: ${served.version}`]
      : []),
    ...(was.version !== undefined && !served.isComplete ? ['what was served was taken away'] : []),
    ...(served.isSound ? [] : ['what was served was no good']),
  ];
}

/** What is wrong at the end; nothing: all is well. */
export async function faultsAtRest(
  { deployment, signed, leftovers }: World,
  wire: Wire,
  was: Before,
): Promise<readonly string[]> {
  const record = await deployment.record(was.name);
  const { twin, stages, operator, now } = deployment;
  const labels = Object.entries(await stages(was.name)).flatMap(([version, all]) =>
    all.map(
      (label) => `${label} ${version === record.current?.version ? 'on the version in the ledger' : 'elsewhere'}`,
    ),
  );
  const wrongLabels = labels.filter(
    (label) => !['AWSCURRENT on the version in the ledger', 'AWSPREVIOUS elsewhere'].includes(label),
  );
  const told = wire.rotations.some(
    ({ certificate, generation }) => certificate === record.id && generation === record.generation,
  );
  const extra = signed() - was.signed - 1;
  const fault = await operator.faultOf(record, now());
  const deadLetters = twin.queue('EverleafIssuanceDeadLetters').messages().length;
  return [
    ...(record.generation === was.generation + 1 ? [] : [`generation ${was.generation} became ${record.generation}`]),
    ...(labels.includes('AWSCURRENT on the version in the ledger') ? [] : ['the version in the ledger is not current']),
    ...wrongLabels,
    ...(fault === undefined ? [] : [fault]),
    ...(told ? [] : ['the rotation was not announced']),
    ...(extra === 0 || extra === 1 ? [] : [`${extra} certificates more than needed`]),
    ...leftovers(),
    ...twin.keyWatch.findings.splice(0).map(({ channel, where }) => `a key on ${channel}: ${where}`),
    ...(deadLetters === 0 ? [] : [`${deadLetters} dead letters`]),
  ];
}
