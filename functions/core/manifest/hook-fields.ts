import type { Field } from './fields.ts';

/** Every field of `everleaf.dev/v1` DeployHook; what is beneath `ecs` and `eks` is their own. */
export const HOOK_FIELDS = [
  { path: 'metadata.name', verdict: 'honoured', does: 'Names the hook in events and in the audit trail.' },
  {
    path: 'metadata.namespace',
    verdict: 'honoured',
    does: 'Whose certificates it is for: those of its own namespace.',
    default: '`default`',
  },
  { path: 'metadata', verdict: 'record', holds: 'labels, annotations and what an API server adds' },
  {
    path: 'spec.certificateNames[]',
    verdict: 'honoured',
    does: 'The certificates it deploys, by name. Either this or `selector`.',
  },
  {
    path: 'spec.selector.matchLabels.*',
    verdict: 'honoured',
    does: 'The certificates it deploys: those with all of these labels.',
  },
  {
    path: 'spec.ecs',
    verdict: 'honoured',
    does: 'Deploys to services of Amazon ECS: [ecs.md](ecs.md) has its fields. Either this or `eks`.',
  },
  {
    path: 'spec.eks',
    verdict: 'honoured',
    does: 'Deploys to a Secret and workloads of an EKS cluster: [eks.md](eks.md) has its fields.',
  },
  {
    path: 'spec.order',
    verdict: 'honoured',
    does: 'Hooks of one certificate run one after the other: lower numbers first, and of equal ones by name. A roll-back goes the other way.',
    default: '0',
  },
  {
    path: 'spec.endpoints[].host',
    verdict: 'honoured',
    does: 'Where the certificate is served: a DNS name, every address of which has to serve the new leaf, or an IP address. Link-local and metadata addresses are never asked.',
  },
  {
    path: 'spec.endpoints[].port',
    verdict: 'honoured',
    does: 'The TCP port.',
    default: '443; with `startTls` the one of that protocol (587, 143, 5432, 3306)',
  },
  {
    path: 'spec.endpoints[].serverName',
    verdict: 'honoured',
    does: 'The name sent by SNI, which has to be in the certificate.',
    default: 'the host',
  },
  { path: 'spec.endpoints[].alpn[]', verdict: 'honoured', does: 'Protocols offered by ALPN.', default: 'none' },
  {
    path: 'spec.endpoints[].startTls',
    verdict: 'honoured',
    does: 'Switches to TLS as this protocol does: `smtp`, `imap`, `postgres` or `mysql`.',
    default: 'TLS from the first byte',
  },
  {
    path: 'spec.endpoints[].allowLoopback',
    verdict: 'honoured',
    does: 'Lets addresses of the machine itself be asked.',
    default: '`false`',
  },
  {
    path: 'spec.waves.canary.count',
    verdict: 'honoured',
    does: 'So many targets in the first wave. Either this or `share`.',
    default: '1',
  },
  { path: 'spec.waves.canary.share', verdict: 'honoured', does: 'The same as a share of all targets, 1 to 100.' },
  {
    path: 'spec.waves.size.count',
    verdict: 'honoured',
    does: 'So many targets in each later wave. Either this or `share`.',
    default: 'all that are left, in one wave',
  },
  { path: 'spec.waves.size.share', verdict: 'honoured', does: 'The same as a share of all targets, 1 to 100.' },
  {
    path: 'spec.waves.pause',
    verdict: 'honoured',
    does: 'How long a wave that was verified is watched before the next one begins.',
    default: '`0s`',
  },
  {
    path: 'spec.concurrency',
    verdict: 'honoured',
    does: 'Deployments of a wave that are under way at the same time, 1 to 100.',
    default: '5',
  },
  {
    path: 'spec.window.cron',
    verdict: 'honoured',
    does: 'When deployments may begin: minute, hour, day, month, day of the week. A roll-back does not wait.',
    default: 'at any time',
  },
  {
    path: 'spec.window.duration',
    verdict: 'honoured',
    does: 'For how long they may begin from then on, five minutes or more. What has begun is finished.',
  },
  {
    path: 'spec.window.timeZone',
    verdict: 'honoured',
    does: 'The IANA time zone of `cron`. A time that a change of clocks skips is the first one after it; one that comes twice counts once.',
    default: '`UTC`',
  },
  {
    path: 'spec.onFailure',
    verdict: 'honoured',
    does: '`rollback`: the previous version comes back everywhere. `halt`: everything stays as it is. `continue`: the other targets get the new version all the same.',
    default: '`rollback`',
  },
  {
    path: 'spec.progressDeadline',
    verdict: 'honoured',
    does: 'How long one deployment, and the proof after a wave, may take: a minute to a day.',
    default: '`15m`',
  },
  { path: 'status', verdict: 'record', holds: 'nothing of ours' },
] as const satisfies readonly Field[];
