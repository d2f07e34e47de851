import type { HOOK_FIELDS } from '../../functions/core/manifest/hook-fields.ts';
import type { DeployHookSpec } from '../../functions/core/rollout/hook-spec.ts';
import { CERTIFICATE, parse } from './support.ts';

type Row = (typeof HOOK_FIELDS)[number];
type PathOf<Verdict extends Row['verdict']> = Extract<Row, { verdict: Verdict }>['path'];

/** A sound hook over the sample certificate, whose next line, at the end of its `spec`, is the eighth. */
export const HOOK = `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata:
  name: orders
spec:
  certificateNames: [orders]
  ecs: { cluster: prod, services: [orders, checkout] }
`;

const LABELLED = CERTIFICATE.replace('name: orders', 'name: orders\n  labels: { team: shop }');

/** The hook that a document beside the sample certificate comes to, and everything said of it. */
export function readHookIn(text: string): {
  readonly hook: DeployHookSpec | undefined;
  /** Names of the certificates that it deploys. */
  readonly deploys: readonly string[];
  readonly codes: readonly string[];
} {
  const { manifest, findings } = parse(text, { path: 'b.yaml', text: LABELLED });
  return {
    hook: manifest.hooks?.[0],
    deploys: manifest.certificates.filter(({ hooks }) => hooks !== undefined).map(({ id }) => id),
    codes: findings.map(({ code }) => code),
  };
}

/** How one honoured field shows when it is set, where it would not without. */
interface Evidence {
  readonly text: string;
  readonly becomes?: object;
  readonly codes?: readonly string[];
}

const spec = (line: string, becomes: object): Evidence => ({ text: `${HOOK}  ${line}\n`, becomes });
const endpoint = (fields: string, becomes: object): Evidence =>
  spec(`endpoints: [{ host: orders.internal.example${fields} }]`, { endpoints: [becomes] });
const edited = (from: string, to: string, evidence: Omit<Evidence, 'text'>): Evidence => ({
  text: HOOK.replace(from, to),
  ...evidence,
});
const WINDOW = 'cron: 0 2 * * *, duration: 3h';

/** By the compiler's word none of the honoured fields is missing here. */
export const HONOURED_HOOK: Readonly<Record<PathOf<'honoured'>, Evidence>> = {
  'metadata.name': edited('name: orders', 'name: other', { becomes: { id: 'default/other' } }),
  // No certificate of that name is there.
  'metadata.namespace': edited('name: orders', 'name: orders\n  namespace: shop', { codes: ['UnknownCertificate'] }),
  'spec.certificateNames[]': edited('[orders]', '[order]', { codes: ['UnknownCertificate'] }),
  'spec.selector.matchLabels.*': edited('certificateNames: [orders]', 'selector: { matchLabels: { team: bank } }', {
    codes: ['SelectsNothing'],
  }),
  'spec.ecs': edited('checkout', 'refunds', { becomes: { targets: [{}, { name: 'ecs:prod/refunds' }] } }),
  'spec.eks': edited(
    'ecs: { cluster: prod, services: [orders, checkout] }',
    'eks: { cluster: a, namespace: b, secretName: c }',
    {
      becomes: { plugin: 'eks', targets: [{ name: 'eks:a/b/secret/c' }] },
    },
  ),
  'spec.order': spec('order: 7', { order: 7 }),
  'spec.endpoints[].host': endpoint('', { host: 'orders.internal.example', port: 443 }),
  'spec.endpoints[].port': endpoint(', port: 8443', { port: 8443 }),
  'spec.endpoints[].serverName': spec('endpoints: [{ host: 10.0.0.7, serverName: orders.internal.example }]', {
    endpoints: [{ host: '10.0.0.7', serverName: 'orders.internal.example' }],
  }),
  'spec.endpoints[].alpn[]': endpoint(', alpn: [h2]', { alpn: ['h2'] }),
  'spec.endpoints[].startTls': endpoint(', startTls: postgres', { startTls: 'postgres', port: 5432 }),
  'spec.endpoints[].allowLoopback': endpoint(', allowLoopback: true', { allowLoopback: true }),
  'spec.waves.canary.count': spec('waves: { canary: { count: 2 } }', { waves: { canary: { count: 2 } } }),
  'spec.waves.canary.share': spec('waves: { canary: { share: 50 } }', { waves: { canary: { share: 50 } } }),
  'spec.waves.size.count': spec('waves: { size: { count: 3 } }', { waves: { size: { count: 3 } } }),
  'spec.waves.size.share': spec('waves: { size: { share: 25 } }', { waves: { size: { share: 25 } } }),
  'spec.waves.pause': spec('waves: { pause: 10m }', { waves: { pauseSeconds: 600 } }),
  'spec.concurrency': spec('concurrency: 9', { concurrency: 9 }),
  'spec.window.cron': spec(`window: { ${WINDOW} }`, { window: { cron: '0 2 * * *', timeZone: 'UTC' } }),
  'spec.window.duration': spec(`window: { ${WINDOW} }`, { window: { durationSeconds: 10_800 } }),
  'spec.window.timeZone': spec(`window: { ${WINDOW}, timeZone: Europe/Berlin }`, {
    window: { timeZone: 'Europe/Berlin' },
  }),
  'spec.onFailure': spec('onFailure: halt', { onFailure: 'halt' }),
  'spec.progressDeadline': spec('progressDeadline: 1h', { progressDeadlineSeconds: 3_600 }),
};
