import * as z from 'zod/mini';
import { REGION, ROLE_ARN } from '../../core/manifest/aws-names.ts';
import { certificatesIn } from '../../core/manifest/certificates-in.ts';
import { atKey, error, isError, type Path, type Problem } from '../../core/manifest/finding.ts';
import { shape } from '../../core/manifest/shape.ts';
import { showValue } from '../../core/manifest/show-value.ts';
import type { ParsedOptions } from '../../core/ports.ts';
import type { HookTarget } from '../../core/rollout/ports.ts';
import { type EksOptions, type Workload, WORKLOAD_KINDS } from './options.ts';

const text = z.optional(z.string());

const eksShape = z.strictObject({
  cluster: z.string(),
  region: text,
  role: text,
  namespace: z.string(),
  secretName: z.string(),
  restart: z.optional(z.array(z.strictObject({ kind: z.enum(WORKLOAD_KINDS), name: z.string() }))),
  force: z.optional(z.boolean()),
  endpoint: text,
  caBundle: text,
});
type EksFields = z.infer<typeof eksShape>;

const EXAMPLES = { cluster: 'production', namespace: 'web', secretName: 'web-tls' } as const;

const CLUSTER = /^[A-Za-z0-9][\w-]{0,99}$/;
/** RFC 1123: a label, and a name of labels. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** Parses what stands at `path`: which Secret of which cluster, and what restarts with it. Each workload is a target. */
export function parseEks(value: unknown, path: Path): ParsedOptions<readonly HookTarget<EksOptions>[]> {
  const examples = Object.entries(EXAMPLES).map(([field, example]) => [
    [...path, field].join('.'),
    `${field}: ${example}`,
  ]);
  const { output, problems } = shape(eksShape, value, { under: path, examples: Object.fromEntries(examples) });
  if (output === undefined) return { ok: false, objections: problems };
  const connection = readConnection(output, path);
  const said = [...problems, ...nameProblems(output, path), ...connection.problems];
  if (said.some(isError)) return { ok: false, objections: said };
  const { cluster, namespace, secretName, restart = [], force = false, region, role } = output;
  const common: EksOptions = {
    cluster,
    namespace,
    secretName,
    force,
    ...(region === undefined ? {} : { region }),
    ...(role === undefined ? {} : { role }),
    ...(connection.value === undefined ? {} : { connection: connection.value }),
  };
  const secret = { name: `eks:${cluster}/${namespace}/secret/${secretName}`, options: common };
  const targets = restart.map((workload) => ({
    name: `eks:${cluster}/${namespace}/${workload.kind.toLowerCase()}/${workload.name}`,
    options: { ...common, workload },
  }));
  return { ok: true, options: targets.length === 0 ? [secret] : targets };
}

const invalid = (code: string, path: Path, value: string, what: string, example: string): Problem =>
  error(code, path, `${showValue(value)} is not ${what}.`, `Write it as in \`${example}\`.`);

/** A field, its rule, and what to say of a value that breaks it. Absent fields break none. */
const RULES: readonly (readonly [keyof EksFields, RegExp, code: string, what: string, example: string])[] = [
  ['cluster', CLUSTER, 'InvalidName', 'the name of an EKS cluster', 'production'],
  ['namespace', LABEL, 'InvalidName', 'the name of a namespace', 'web'],
  ['secretName', SUBDOMAIN, 'InvalidName', 'the name of a Secret', 'web-tls'],
  ['region', REGION, 'InvalidRegion', 'an AWS Region', 'us-east-1'],
  ['role', ROLE_ARN, 'InvalidArn', 'the ARN of an IAM role', 'arn:aws:iam::111122223333:role/deploy-certificates'],
];

function nameProblems(fields: EksFields, path: Path): Problem[] {
  const { restart = [] } = fields;
  const broken = RULES.flatMap(([field, rule, code, what, example]) => {
    const value = fields[field];
    if (typeof value !== 'string' || rule.test(value)) return [];
    return [invalid(code, [...path, field], value, what, example)];
  });
  const same = (a: Workload) => (b: Workload) => a.kind === b.kind && a.name === b.name;
  const workloads = restart.flatMap((workload, index) => {
    const at = [...path, 'restart', index, 'name'];
    if (!SUBDOMAIN.test(workload.name))
      return [invalid('InvalidName', at, workload.name, 'the name of a workload', 'web')];
    if (restart.findIndex(same(workload)) === index) return [];
    const message = `The ${workload.kind} ${showValue(workload.name)} stands here twice.`;
    return [error('DuplicateTarget', at, message, 'Remove one.')];
  });
  return [...broken, ...workloads];
}

type Connection = EksOptions['connection'];

/** The two come together: an API server that is reached by another name or way than EKS answers has a CA that goes with it. */
function readConnection(
  { endpoint, caBundle }: EksFields,
  path: Path,
): { readonly value: Connection; readonly problems: readonly Problem[] } {
  if (endpoint === undefined && caBundle === undefined) return { value: undefined, problems: [] };
  const at = (field: string): Path => [...path, field];
  if (endpoint === undefined || caBundle === undefined) {
    const [there, missing] = endpoint === undefined ? ['caBundle', 'endpoint'] : ['endpoint', 'caBundle'];
    const message = `\`${there}\` stands without \`${missing}\`.`;
    const remedy = `Add \`${missing}\`, or remove \`${there}\`: EKS then answers both.`;
    return { value: undefined, problems: [atKey(error('MissingField', at(there), message, remedy))] };
  }
  const url = URL.parse(endpoint);
  const isOrigin = url?.protocol === 'https:' && `${url.origin}/` === url.href;
  const found = certificatesIn(Buffer.from(caBundle, 'base64').toString('latin1'), { authoritiesOnly: false });
  const problems = [
    ...(isOrigin
      ? []
      : [invalid('InvalidUrl', at('endpoint'), endpoint, 'an https address without a path', 'https://10.0.0.1')]),
    ...(found.ok
      ? []
      : [
          atKey(
            error(
              'InvalidBundle',
              at('caBundle'),
              `\`caBundle\` ${found.fault.message}`,
              'Write what `certificate-authority-data` has in a kubeconfig: base64 of PEM.',
            ),
          ),
        ]),
  ];
  return {
    value: isOrigin && found.ok ? { endpoint: url.origin, caBundle: found.pems.join('') } : undefined,
    problems,
  };
}
