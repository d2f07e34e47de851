import * as z from 'zod/mini';
import { REGION, ROLE_ARN } from '../../core/manifest/aws-names.ts';
import { error, isError, type Path, type Problem } from '../../core/manifest/finding.ts';
import { shape } from '../../core/manifest/shape.ts';
import { showValue } from '../../core/manifest/show-value.ts';
import type { ParsedOptions } from '../../core/ports.ts';
import type { HookTarget } from '../../core/rollout/ports.ts';
import { type EcsOptions, STRATEGIES } from './options.ts';

const text = z.optional(z.string());

const ecsShape = z.strictObject({
  cluster: z.string(),
  services: z.array(z.string()).check(z.minLength(1)),
  strategy: z.optional(z.enum(STRATEGIES)),
  passRoles: z.optional(z.array(z.string())),
  region: text,
  role: text,
});
type EcsFields = z.infer<typeof ecsShape>;

const EXAMPLES = {
  cluster: 'production',
  services: '- checkout',
} as const;

/** Names of clusters and of services alike. */
const NAME = /^[A-Za-z0-9][\w-]{0,254}$/;

/** Parses what stands at `path`: which services of which cluster, and how they get a version. Each service is a target. */
export function parseEcs(value: unknown, path: Path): ParsedOptions<readonly HookTarget<EcsOptions>[]> {
  const { output, problems } = shape(ecsShape, value, { under: path, examples: examplesUnder(path) });
  if (output === undefined) return { ok: false, objections: problems };
  const said = [...problems, ...nameProblems(output, path), ...roleProblems(output, path)];
  if (said.some(isError)) return { ok: false, objections: said };
  const { cluster, services, strategy = 'ForceNewDeployment', passRoles = [], region, role } = output;
  const targets = services.map((service) => ({
    name: `ecs:${cluster}/${service}`,
    options: {
      cluster,
      service,
      strategy,
      passRoles,
      ...(region === undefined ? {} : { region }),
      ...(role === undefined ? {} : { role }),
    },
  }));
  return { ok: true, options: targets };
}

const examplesUnder = (path: Path): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(EXAMPLES).map(([field, example]) => [[...path, field].join('.'), `${field}: ${example}`]),
  );

function nameProblems({ cluster, services, region }: EcsFields, path: Path): Problem[] {
  const byName = 'Write its name, as in `production`, and not its ARN.';
  return [
    ...(NAME.test(cluster)
      ? []
      : [error('InvalidName', [...path, 'cluster'], `${showValue(cluster)} is not the name of a cluster.`, byName)]),
    ...services.flatMap((service, index) => {
      const at = [...path, 'services', index];
      if (!NAME.test(service)) {
        return [error('InvalidName', at, `${showValue(service)} is not the name of a service.`, byName)];
      }
      if (services.indexOf(service) === index) return [];
      return [error('DuplicateTarget', at, `The service ${showValue(service)} stands here twice.`, 'Remove one.')];
    }),
    ...(region === undefined || REGION.test(region)
      ? []
      : [
          error(
            'InvalidRegion',
            [...path, 'region'],
            `${showValue(region)} is not an AWS Region.`,
            'Write it as in `us-east-1`.',
          ),
        ]),
  ];
}

/** Whoever may register task definitions and pass any role to them may become any of them: the roles are named. */
function roleProblems({ strategy, passRoles, role }: EcsFields, path: Path): Problem[] {
  const isNoRole = (arn: string): boolean => !ROLE_ARN.test(arn);
  const badRole = (arn: string, at: Path): Problem =>
    error(
      'InvalidArn',
      at,
      `${showValue(arn)} is not the ARN of an IAM role.`,
      'Write it as in `arn:aws:iam::111122223333:role/checkout-task`.',
    );
  const said = [
    ...(role !== undefined && isNoRole(role) ? [badRole(role, [...path, 'role'])] : []),
    ...(passRoles ?? []).flatMap((arn, index) => (isNoRole(arn) ? [badRole(arn, [...path, 'passRoles', index])] : [])),
  ];
  const pins = strategy === 'PinVersion';
  if (pins && (passRoles ?? []).length === 0) {
    const message = '`strategy: PinVersion` registers task definitions, and `passRoles` does not say with which roles.';
    const remedy = "List the ARNs of the task's execution role and of its task role under `passRoles`.";
    said.push(error('MissingField', [...path, 'strategy'], message, remedy));
  }
  if (!pins && passRoles !== undefined) {
    const message = '`passRoles` has a meaning only with `strategy: PinVersion`.';
    said.push(error('NoMeaningHere', [...path, 'passRoles'], message, 'Remove it.'));
  }
  return said;
}
