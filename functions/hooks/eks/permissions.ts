import type { ObjectRef } from './api.ts';

/**
 * What is done to a resource. Server-side apply is a patch, and of what is not there a create as well: the API server asks for
 * both, the latter, other than of a POST, by the object's name. No Secret is ever read.
 */
export const verbsOf = (resource: string): readonly string[] =>
  resource === 'secrets' ? ['create', 'patch'] : ['get', 'patch'];

export const groupOf = (api: string): string => /^\/apis\/([^/]+)\//.exec(api)?.[1] ?? '';

/** The rule that grants what the hook does to an object, on one line. */
export const ruleFor = ({ api, resource, name }: ObjectRef): string =>
  JSON.stringify({
    apiGroups: [groupOf(api)],
    resources: [resource],
    resourceNames: [name],
    verbs: verbsOf(resource),
  });
