import type { CertificateId, CertificateSpec, Manifest } from '../../functions/core/certificate.ts';
import { type Announcement, EVENT_SOURCE, parseEvent } from '../../functions/core/events.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import type { RolloutRecord } from '../../functions/core/rollout/record.ts';
import { LONGEST_HINT_SECONDS } from '../../functions/core/shift.ts';
import type { AcmPcaOptions } from '../../functions/issuers/acm-pca/document.ts';
import { SHORT_LIFETIME_MS } from '../../functions/core/schedule.ts';
import { DAY_MS, HOUR_MS, type Instant, SECOND_MS } from '../../functions/core/time.ts';
import { AcmPca } from '../../local/services/acm-pca.ts';
import { Twin } from '../../local/twin.ts';
import type { CallRecord } from '../../local/wire/call.ts';
import { UsageError } from '../commands/exit-codes.ts';
import { type AcmeWorld, acmeIssuersOf, surroundWithAcme } from './acme-world.ts';
import { isUserRun } from './acme-zones.ts';
import { type ServedAt, surroundWithTargets } from './deploy-targets.ts';
import { Operator } from './operator.ts';
import type { Progress } from './progress.ts';
import { synthesize } from './synthesize.ts';

export const STACK_NAME = 'Everleaf';

/** Room on the clock beyond the first renewal, so that the move past it ends before wall time. */
const SPARE_MS = 16 * HOUR_MS;
/** Orders that the CA takes so long for are waited for: a busy machine is no reason to show half a table. */
const LONGEST_WAIT_MS = 30 * SECOND_MS;
const LONGEST_PAST_MS = 400 * DAY_MS;

/** The deployment on the twin, and an operator's view of it. */
export interface Rehearsal {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly outputs: Readonly<Record<string, string>>;
  /** Where the twin's Route 53 is answered for, `127.0.0.1:port`. */
  readonly dnsServer: string;
  now(): Instant;
  /** How far the clock may still move. */
  headroomMs(): number;
  /** Fires the schedule and waits until nothing more happens by itself. */
  tick(): Promise<void>;
  advance(ms: number): Promise<void>;
  records(): Promise<readonly CertificateRecord[]>;
  requestRenewal(id: CertificateId): Promise<void>;
  /** PEM trust anchors of the embedded ACME CAs, which no secret holds. */
  readonly acmeRoots: readonly string[];
  faultOf(record: CertificateRecord, now: Instant): Promise<string | undefined>;
  /** Where certificates are served that hooks deploy. */
  readonly servedAt: readonly ServedAt[];
  rollout(id: CertificateId): Promise<RolloutRecord | undefined>;
  /** What functions have put on the bus, and when by the wall clock. */
  readonly published: readonly Published[];
  witnessed(): {
    readonly calls: readonly CallRecord[];
    /** To embedded ACME CAs. */
    readonly acmeRequests: number;
    readonly keyFindings: readonly string[];
    readonly problems: readonly string[];
  };
  close(): Promise<void>;
}

export interface Published {
  readonly announcement: Announcement;
  /** Milliseconds since the epoch, of the wall clock. */
  readonly wallMs: number;
}

export interface RehearsalOptions {
  readonly folder: string;
  readonly manifest: Manifest;
  /** For an ACME server that the user runs, and has told where to ask. */
  readonly dnsPort?: number | undefined;
  /** ECS services that never reload, by the name that hooks have for them. */
  readonly neverReloading?: readonly string[];
}

/** Synthesizes the app, brings its stack to life with an embedded CA for every one the manifest names. */
export async function startRehearsal(
  { folder, manifest, dnsPort, neverReloading = [] }: RehearsalOptions,
  progress: Pick<Progress, 'say' | 'follow'>,
): Promise<Rehearsal> {
  progress.say('Synthesizing the CDK app and bundling its functions …');
  const app = synthesize(folder, STACK_NAME);
  // What a CA that somebody runs for real says of time is wall time.
  const isReal = acmeIssuersOf(manifest).some(({ options }) => isUserRun(options));
  try {
    progress.say('Deploying the template to the twin: a stand-in for an AWS account, on 127.0.0.1 …');
    const twin = await Twin.start({
      assemblyDir: app.assemblyDir,
      startAt: Date.now() - (isReal ? 0 : firstRenewalMs(manifest.certificates) + SPARE_MS),
      ...(dnsPort === undefined ? {} : { dnsPort }),
      services: ({ clock }) => [
        new AcmPca({ certificateAuthorities: certificateAuthorities(manifest), now: () => clock.now() }),
      ],
      onLog: (entry) => progress.follow(entry),
    });
    return await rehearsalOn(twin, { manifest, neverReloading }, progress, app.remove);
  } catch (error) {
    app.remove();
    throw portTaken(error, dnsPort) ?? error;
  }
}

/** Undefined for what is not about the port that the user has named. */
function portTaken(error: unknown, port: number | undefined): UsageError | undefined {
  const { code = '', port: refused } = error as { readonly code?: string; readonly port?: number };
  if (port === undefined || refused !== port || !/^E(?:ADDRINUSE|ACCES)$/.test(code)) return undefined;
  return new UsageError(`--dns ${port}: port ${port} of 127.0.0.1 cannot be had (${code}); name another`);
}

async function rehearsalOn(
  twin: Twin,
  { manifest, neverReloading }: { readonly manifest: Manifest; readonly neverReloading: readonly string[] },
  progress: Pick<Progress, 'say'>,
  remove: () => void,
): Promise<Rehearsal> {
  const { endpoint, outputs, operatorCredentials: credentials, account, clock } = twin;
  const operator = new Operator(
    { endpoint, region: account.region, credentials },
    output(outputs, 'TableName'),
    STACK_NAME,
  );
  const { acme, servedAt } = await surroundOrClose(twin, manifest, operator, neverReloading);
  const published = listen(twin);
  for (const url of acme.standIns) progress.say(`An embedded ACME CA stands in for ${url} …`);
  for (const url of acme.userRun) {
    progress.say(`${url} is yours: it finds the records at DNS server ${twin.dns.address}, and time is wall time.`);
  }
  const hasHooks = manifest.hooks !== undefined && manifest.hooks.length > 0;
  const settled = async (): Promise<void> => {
    await twin.settledAfterDelays('EverleafIssuanceQueue', LONGEST_WAIT_MS);
    if (hasHooks) await twin.settledAfterDelays('EverleafDeploymentQueue', LONGEST_HINT_SECONDS * SECOND_MS);
  };
  const tick = async (): Promise<void> => {
    await twin.tick();
    await settled();
  };
  return {
    endpoint,
    region: account.region,
    credentials,
    outputs,
    dnsServer: twin.dns.address,
    now: () => clock.now(),
    headroomMs: () => Date.now() - clock.now(),
    tick,
    advance: async (ms) => {
      await twin.advance(ms);
      await settled();
    },
    records: () => operator.records(),
    requestRenewal: (id) => operator.requestRenewal(id, 'operator', clock.now()),
    acmeRoots: acme.roots,
    servedAt,
    rollout: async (id) => (await operator.inventory.readRollout(id))?.value,
    published,
    faultOf: (record, now) => operator.faultOf(record, now, acme.roots),
    witnessed: () => ({
      calls: twin.calls,
      acmeRequests: acme.requests(),
      keyFindings: twin.keyWatch.findings.map(({ channel, where }) => `a private key was seen: ${channel}, ${where}`),
      problems: twin.problems.map(({ source, message }) => `${source}: ${message}`),
    }),
    close: async () => {
      operator.close();
      await acme.close();
      await twin.close();
      remove();
    },
  };
}

async function surroundOrClose(
  twin: Twin,
  manifest: Manifest,
  operator: Operator,
  neverReloading: readonly string[],
): Promise<{ readonly acme: AcmeWorld; readonly servedAt: readonly ServedAt[] }> {
  try {
    const servedAt = await surroundWithTargets(twin, manifest, { deployment: STACK_NAME, neverReloading });
    return { acme: await surroundWithAcme(twin, manifest, operator.inventory, STACK_NAME), servedAt };
  } catch (error) {
    operator.close();
    await twin.close();
    throw error;
  }
}

/** Functions alone: what else comes is somebody's experiment. */
function listen(twin: Twin): readonly Published[] {
  const published: Published[] = [];
  twin.use(async (call, next) => {
    const answer = await next();
    if (call.operation !== 'PutEvents' || call.invocationId === undefined || answer.status !== 200) return answer;
    const wallMs = Date.now();
    for (const { DetailType, Detail } of call.input['Entries'] as readonly Record<string, string>[]) {
      const event = { source: EVENT_SOURCE, 'detail-type': DetailType, detail: JSON.parse(Detail ?? '') as unknown };
      published.push({ announcement: parseEvent(event), wallMs });
    }
    return answer;
  });
  return published;
}

/** CDK puts a hash after an output's name. */
export function output(outputs: Readonly<Record<string, string>>, name: string): string {
  const found = Object.entries(outputs).find(([key]) => key.startsWith(`Everleaf${name}`));
  if (found === undefined) throw new Error(`the stack has no output ${name}`);
  return found[1];
}

function certificateAuthorities({
  issuers,
  certificates,
}: Manifest): ConstructorParameters<typeof AcmPca>[0]['certificateAuthorities'] {
  const arns = new Map(
    issuers.flatMap(({ plugin, options, ref }) =>
      plugin === 'acm-pca' ? [[(options as AcmPcaOptions).certificateAuthorityArn, ref] as const] : [],
    ),
  );
  return [...arns].map(([arn, ref]) => {
    const served = certificates.filter(({ issuerRef }) => issuerRef.kind === ref.kind && issuerRef.name === ref.name);
    const shortLived = served.length > 0 && served.every(({ durationSeconds }) => durationSeconds <= 7 * 86_400);
    return { arn, usageMode: shortLived ? ('SHORT_LIVED_CERTIFICATE' as const) : ('GENERAL_PURPOSE' as const) };
  });
}

/** About when the first certificate will want renewing: the clock starts that long ago. */
function firstRenewalMs(certificates: readonly CertificateSpec[]): number {
  const offsets = certificates.map(({ durationSeconds, renewBefore }) => {
    const lifetimeMs = durationSeconds * SECOND_MS;
    if (renewBefore !== undefined && 'seconds' in renewBefore) return lifetimeMs - renewBefore.seconds * SECOND_MS;
    if (renewBefore !== undefined) return lifetimeMs * (1 - renewBefore.percentage / 100);
    return lifetimeMs * (lifetimeMs < SHORT_LIFETIME_MS ? 0.51 : 0.68);
  });
  return Math.floor(Math.min(LONGEST_PAST_MS, ...offsets));
}
