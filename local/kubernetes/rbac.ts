import { z } from 'zod';
import { ApiError } from './status.ts';

export interface AccessRequest {
  readonly verb: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

const Names = z.array(z.string());
const Metadata = z.strictObject({ name: z.string(), namespace: z.string() });
const Rule = z.strictObject({
  apiGroups: Names,
  resources: Names,
  resourceNames: Names.optional(),
  verbs: Names,
});
const Role = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal('Role'),
  metadata: Metadata,
  rules: z.array(Rule),
});
const Binding = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal('RoleBinding'),
  metadata: Metadata,
  roleRef: z.strictObject({ apiGroup: z.string(), kind: z.literal('Role'), name: z.string() }),
  subjects: z.array(z.strictObject({ apiGroup: z.string(), kind: z.literal('Group'), name: z.string() })),
});
const RbacObject = z.discriminatedUnion('kind', [Role, Binding]);

/** Roles and RoleBindings, as far as groups go. */
export class Rbac {
  readonly #roles: z.infer<typeof Role>[] = [];
  readonly #bindings: z.infer<typeof Binding>[] = [];

  apply(document: unknown): void {
    const object = RbacObject.parse(document);
    if (object.kind === 'Role') this.#roles.push(object);
    else this.#bindings.push(object);
  }

  authorize(user: string, groups: readonly string[], request: AccessRequest): void {
    const { verb, apiGroup, resource, namespace, name } = request;
    const bound = this.#bindings.filter(
      ({ metadata, subjects }) =>
        metadata.namespace === namespace && subjects.some((subject) => groups.includes(subject.name)),
    );
    const rules = bound.flatMap(({ roleRef }) =>
      this.#roles
        .filter(({ metadata }) => metadata.namespace === namespace && metadata.name === roleRef.name)
        .flatMap((role) => role.rules),
    );
    const allows = (rule: z.infer<typeof Rule>): boolean =>
      rule.verbs.includes(verb) &&
      rule.apiGroups.includes(apiGroup) &&
      rule.resources.includes(resource) &&
      (rule.resourceNames?.includes(name) ?? true);
    if (groups.includes('system:masters') || rules.some(allows)) return;
    const what = `${resource}${apiGroup === '' ? '' : `.${apiGroup}`} "${name}" is forbidden`;
    const why = `User "${user}" cannot ${verb} resource "${resource}" in API group "${apiGroup}" in the namespace "${namespace}"`;
    throw new ApiError(403, 'Forbidden', `${what}: ${why}`);
  }
}
