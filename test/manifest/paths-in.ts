/** Paths of everything in a document, as the tables of fields write them. */
export function pathsIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item) => pathsIn(item, `${path}[]`))];
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, member]) => pathsIn(member, path === '' ? key : `${path}.${key}`));
  return [path, ...inner];
}
