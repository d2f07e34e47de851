/** What `@kubernetes-models/cert-manager` compiled from a custom resource definition. */
interface Definition {
  readonly prototype: { validate(): void };
}

type Shape = 'leaf' | 'object' | 'array';

/**
 * Every value that a definition's schema knows, as paths: `spec.dnsNames`, `spec.otherNames[].oid`. The package has no schemas
 * to read, only the validators compiled from them: they are run on a value that notes which of its fields they ask for, and
 * that takes on the types they complain about until nothing new is asked for.
 */
export function fieldsOf(definition: Definition): readonly string[] {
  const shapes = new Map<string, Shape>();
  for (let before = -1; before !== fingerprint(shapes);) {
    before = fingerprint(shapes);
    for (const { path, shape } of complaints(definition, shapes)) shapes.set(path, shape);
  }
  const paths = [...shapes.keys()];
  const isInner = (path: string): boolean =>
    paths.some((other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[].`));
  return paths.filter((path) => path !== '' && !path.endsWith('[]') && !isInner(path)).sort();
}

/** Grows with every path found and every shape corrected: none is ever taken back. */
const fingerprint = (shapes: ReadonlyMap<string, Shape>): number =>
  [...shapes.values()].reduce((sum, shape) => sum + (shape === 'object' ? 1 : 1_000), 0);

interface Complaint {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: { readonly type?: string };
}

function complaints(
  definition: Definition,
  shapes: Map<string, Shape>,
): readonly { readonly path: string; readonly shape: Shape }[] {
  try {
    definition.prototype.validate.call(noting('', shapes));
    return [];
  } catch (failure) {
    const { errors = [] } = failure as { errors?: readonly Complaint[] };
    return errors.flatMap(({ instancePath, keyword, params }) => {
      if (keyword !== 'type') return [];
      const path = instancePath
        .slice(1)
        .replaceAll(/\/(\d+)/g, '[]')
        .replaceAll('/', '.');
      return [{ path, shape: params.type === 'array' ? ('array' as const) : ('leaf' as const) }];
    });
  }
}

/** An object, until somebody complains. */
function noting(path: string, shapes: Map<string, Shape>): unknown {
  if (!shapes.has(path)) shapes.set(path, 'object');
  const shape = shapes.get(path);
  if (shape === 'leaf') return undefined;
  if (shape === 'array') return [noting(`${path}[]`, shapes)];
  return new Proxy(
    {},
    {
      get: (_target, key) =>
        typeof key === 'string' ? noting(path === '' ? key : `${path}.${key}`, shapes) : undefined,
    },
  );
}
