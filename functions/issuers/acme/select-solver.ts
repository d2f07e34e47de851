import type { SolverOptions } from './options.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * The solver for a name, as cert-manager chooses it (its `solverpicker`): everything that a selector lists has to match; among
 * those that do, a match by name goes before one by zone, the longest zone before shorter ones, then more labels before fewer,
 * then the first. `name` is as in the manifest, `*.` and all.
 */
export function selectSolver(
  solvers: readonly SolverOptions[],
  name: string,
  labels: Labels,
): SolverOptions | undefined {
  let best: { readonly solver: SolverOptions; readonly rank: Rank } | undefined;
  for (const solver of solvers) {
    const rank = rankOf(solver, name.toLowerCase(), labels);
    if (rank !== undefined && (best === undefined || isAbove(rank, best.rank))) best = { solver, rank };
  }
  return best?.solver;
}

/** How closely a selector matches: by name (1 or 0), by so many labels of a zone, by so many labels of the certificate. */
type Rank = readonly [name: number, zoneLabels: number, certificateLabels: number];

/** Undefined where something in the selector does not match. What it leaves out matches everything. */
function rankOf({ dnsNames, dnsZones, matchLabels }: SolverOptions, name: string, labels: Labels): Rank | undefined {
  const wanted = Object.entries(matchLabels);
  const zoneLabels = dnsZones.filter((zone) => isWithin(name, zone)).map((zone) => zone.split('.').length);
  const matches =
    wanted.every(([key, value]) => labels[key] === value) &&
    (dnsNames.length === 0 || dnsNames.includes(name)) &&
    (dnsZones.length === 0 || zoneLabels.length > 0);
  return matches ? [dnsNames.length === 0 ? 0 : 1, Math.max(0, ...zoneLabels), wanted.length] : undefined;
}

/** On the boundary of a label: `example.com` holds `a.example.com` and `*.example.com`, not `anexample.com`. */
const isWithin = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);

/** Of two that are equal neither is above the other: the earlier stays. */
function isAbove(a: Rank, b: Rank): boolean {
  const [byName, byZone, byLabels] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  return (byName || byZone || byLabels) > 0;
}
