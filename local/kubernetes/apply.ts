import { ApiError } from './status.ts';

export interface JsonObject {
  [field: string]: unknown;
}

/** Who manages which fields of an object, by the fields' paths (JSON). */
export type Managers = Map<string, Set<string>>;

/** What names an object is managed by nobody. */
const IDENTITY = new Set(
  ['apiVersion', 'kind', 'metadata.name', 'metadata.namespace'].map((path) => JSON.stringify(path.split('.'))),
);

/**
 * Server-side apply, for objects whose lists are never merged: `manager` says what its fields are to be. Fields of others with
 * another value are a conflict, unless it is forced; fields of its own that it no longer names are removed.
 */
export function apply(
  object: JsonObject,
  managers: Managers,
  { manager, wanted, force }: { readonly manager: string; readonly wanted: JsonObject; readonly force: boolean },
): void {
  const leaves = new Map(leavesOf(wanted, []).filter(([path]) => !IDENTITY.has(path)));
  const conflicts = [...leaves].flatMap(([path, value]) =>
    [...managers]
      .filter(([other, paths]) => other !== manager && paths.has(path) && valueAt(object, path) !== value)
      .map(([other]) => ({ other, path })),
  );
  if (conflicts.length > 0 && !force) {
    const causes = conflicts.map(({ other, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with "${other}" using v1`,
      field: `.${(JSON.parse(path) as string[]).join('.')}`,
    }));
    const list = causes.map(({ message, field }) => `${message}: ${field}`).join('; ');
    throw new ApiError(409, 'Conflict', `Apply failed with ${causes.length} conflicts: ${list}`, causes);
  }
  for (const { other, path } of conflicts) managers.get(other)?.delete(path);
  for (const path of managers.get(manager) ?? []) {
    const isShared = [...managers].some(([other, paths]) => other !== manager && paths.has(path));
    if (!leaves.has(path) && !isShared) removeAt(object, JSON.parse(path) as string[]);
  }
  for (const [path, value] of leaves) setAt(object, JSON.parse(path) as string[], value);
  managers.set(manager, new Set(leaves.keys()));
}

/** RFC 7386. */
export function mergePatch(object: JsonObject, patch: JsonObject): void {
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete object[field];
    else if (isObject(value)) {
      const inner = object[field];
      const target = isObject(inner) ? inner : {};
      object[field] = target;
      mergePatch(target, value);
    } else object[field] = value;
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function leavesOf(value: JsonObject, path: readonly string[]): [string, unknown][] {
  return Object.entries(value).flatMap(([field, inner]): [string, unknown][] =>
    isObject(inner) ? leavesOf(inner, [...path, field]) : [[JSON.stringify([...path, field]), inner]],
  );
}

function valueAt(object: JsonObject, path: string): unknown {
  let found: unknown = object;
  for (const field of JSON.parse(path) as string[]) found = isObject(found) ? found[field] : undefined;
  return found;
}

function setAt(object: JsonObject, path: readonly string[], value: unknown): void {
  const [field = '', ...rest] = path;
  if (rest.length === 0) {
    object[field] = value;
    return;
  }
  const inner = object[field];
  const target = isObject(inner) ? inner : {};
  object[field] = target;
  setAt(target, rest, value);
}

function removeAt(object: JsonObject, path: readonly string[]): void {
  const [field = '', ...rest] = path;
  const inner = object[field];
  if (rest.length === 0) delete object[field];
  else if (isObject(inner)) removeAt(inner, rest);
}
