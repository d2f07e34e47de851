import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SolverOptions } from '../../functions/issuers/acme/options.ts';
import { selectSolver } from '../../functions/issuers/acme/select-solver.ts';

type Selector = Partial<Pick<SolverOptions, 'dnsNames' | 'dnsZones' | 'matchLabels'>>;

const solver = (selector: Selector): SolverOptions => ({
  matchLabels: {},
  dnsNames: [],
  dnsZones: [],
  challenge: 'dns01',
  options: {},
  ...selector,
});

/** Which of the selectors is taken, by its place. */
function taken(selectors: readonly Selector[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  const solvers = selectors.map(solver);
  return solvers.findIndex((candidate) => candidate === selectSolver(solvers, name, labels));
}

const ANY = {};
const NAME = { dnsNames: ['a.example.org'] };
const ZONE = { dnsZones: ['example.org'] };
const SUB_ZONE = { dnsZones: ['a.example.org'] };
const LABEL = { matchLabels: { team: 'shop' } };
const LABELS = { matchLabels: { team: 'shop', tier: 'web' } };
const SHOP = { team: 'shop', tier: 'web', more: '1' };

describe('the solver for a name', () => {
  it.each<[string, readonly Selector[], string, number]>([
    ['is one without a selector', [ANY], 'a.example.org', 0],
    ['is the first of two without', [ANY, ANY], 'a.example.org', 0],
    ['is one by name before one without', [ANY, NAME], 'a.example.org', 1],
    ['is one by zone before one without', [ANY, ZONE], 'a.example.org', 1],
    ['is one by label before one without', [ANY, LABEL], 'a.example.org', 1],
    ['is one by name before one by zone', [ZONE, NAME], 'a.example.org', 1],
    ['is one by name before one by zone, in either order', [NAME, ZONE], 'a.example.org', 0],
    [
      'is one by name before one by the very same zone and labels',
      [{ ...SUB_ZONE, ...LABELS }, NAME],
      'a.example.org',
      1,
    ],
    ['is one by zone before one by label', [LABELS, ZONE], 'a.example.org', 1],
    ['is the longest zone', [ZONE, SUB_ZONE, { dnsZones: ['org'] }], 'b.a.example.org', 1],
    ['is the longest zone, whatever the labels', [{ ...ZONE, ...LABELS }, SUB_ZONE], 'b.a.example.org', 1],
    ['is the one with more labels, where zones are alike', [ZONE, { ...ZONE, ...LABEL }], 'a.example.org', 1],
    ['is the one with more labels, where names are alike', [NAME, { ...NAME, ...LABEL }], 'a.example.org', 1],
    [
      'is the one with a zone, where names are alike',
      [
        { ...NAME, ...LABELS },
        { ...NAME, ...ZONE },
      ],
      'a.example.org',
      1,
    ],
    ['is the one with the most labels', [LABEL, LABELS], 'a.example.org', 1],
    [
      'is the first, where all is alike',
      [
        { ...ZONE, ...LABEL },
        { ...ZONE, ...LABEL },
      ],
      'a.example.org',
      0,
    ],
    [
      'is the zone of a list that fits closest',
      [SUB_ZONE, { dnsZones: ['org', 'b.a.example.org'] }],
      'b.a.example.org',
      1,
    ],
  ])('%s', (_, selectors, name, index) => {
    expect(taken(selectors, name, SHOP)).toBe(index);
  });

  it.each<[string, Selector, string]>([
    ['a name beside the listed one', NAME, 'b.example.org'],
    ['a name beneath the listed one', NAME, 'b.a.example.org'],
    ['a name that only ends like the zone', ZONE, 'anexample.org'],
    ['a name above the zone', SUB_ZONE, 'example.org'],
    ['a wildcard of a listed name', NAME, '*.a.example.org'],
    ['a certificate without the label', { matchLabels: { missing: 'x' } }, 'a.example.org'],
    ['a certificate with another value', { matchLabels: { team: 'pay' } }, 'a.example.org'],
    ['a certificate without one of two labels', { matchLabels: { team: 'shop', missing: 'x' } }, 'a.example.org'],
    ['a label that every object has', { matchLabels: { constructor: 'x' } }, 'a.example.org'],
    ['a name in the list and outside of the zone', { ...NAME, dnsZones: ['example.net'] }, 'a.example.org'],
    ['a name in the zone and not in the list', { ...ZONE, dnsNames: ['b.example.org'] }, 'a.example.org'],
  ])('is none for %s', (_, selector, name) => {
    expect(taken([selector], name, SHOP)).toBe(-1);
  });

  it.each<[string, Selector, string]>([
    ['the zone itself', ZONE, 'example.org'],
    ['a wildcard in the zone', ZONE, '*.example.org'],
    ['a wildcard that is listed', { dnsNames: ['*.example.org'] }, '*.example.org'],
    ['a name in upper case', ZONE, 'A.EXAMPLE.ORG'],
  ])('is there for %s', (_, selector, name) => {
    expect(taken([selector], name, SHOP)).toBe(0);
  });

  it('is none where there are none', () => {
    expect(taken([], 'a.example.org')).toBe(-1);
  });
});

/** cert-manager's own words for it, one comparison after the other, to hold ours against. */
function comparedOneByOne(
  selectors: readonly Selector[],
  name: string,
  labels: Readonly<Record<string, string>>,
): number {
  let best = -1;
  let [bestName, bestZone, bestLabels] = [0, 0, 0];
  for (const [index, { dnsNames = [], dnsZones = [], matchLabels = {} }] of selectors.entries()) {
    const labelsOf = (text: string): readonly string[] => text.split('.').toReversed();
    const zones = dnsZones.map((zone) => {
      const [zoneLabels, nameLabels] = [labelsOf(zone), labelsOf(name)];
      return zoneLabels.every((label, place) => nameLabels[place] === label) ? zoneLabels.length : 0;
    });
    const zone = Math.max(0, ...zones);
    if (dnsNames.length > 0 && !dnsNames.includes(name)) continue;
    if (dnsZones.length > 0 && zone === 0) continue;
    if (Object.entries(matchLabels).some(([key, value]) => labels[key] !== value)) continue;
    const byName = dnsNames.length > 0 ? 1 : 0;
    const byLabels = Object.keys(matchLabels).length;
    const isBetter =
      best === -1 ||
      byName > bestName ||
      (byName === bestName && zone > bestZone) ||
      (byName === bestName && zone === bestZone && byLabels > bestLabels);
    if (!isBetter) continue;
    best = index;
    [bestName, bestZone, bestLabels] = [byName, zone, byLabels];
  }
  return best;
}

it('is the same as when selectors are compared one by one', () => {
  const name = fc.constantFrom('example.org', 'a.example.org', 'b.a.example.org', '*.a.example.org', 'a.example.net');
  const zone = fc.constantFrom('org', 'example.org', 'a.example.org', 'net', 'example.net', 'le.org');
  const labels = fc.constantFrom({}, { team: 'shop' }, { tier: 'web' }, SHOP);
  const selector = fc.record({
    dnsNames: fc.array(name, { maxLength: 2 }),
    dnsZones: fc.array(zone, { maxLength: 2 }),
    matchLabels: labels,
  });
  fc.assert(
    fc.property(fc.array(selector, { maxLength: 5 }), name, labels, (selectors, wanted, given) => {
      expect(taken(selectors, wanted, given)).toBe(comparedOneByOne(selectors, wanted, given));
    }),
    { numRuns: 2_000 },
  );
});
