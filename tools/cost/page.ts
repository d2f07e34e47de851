import {
  type Bill,
  clusterPrice,
  exportablePrice,
  type Fleet,
  LINES,
  monthlyBill,
  privateCaPrice,
  sumOf,
} from './bill.ts';
import { PRICED_ON, PRICES } from './prices.ts';

const FLEETS = [10, 100, 1_000, 10_000, 100_000] as const;
/** Public PKI from March 2029 on; and what short-lived profiles give. */
const LIFETIMES_DAYS = [47, 6] as const;
const ISSUERS = ['acm-pca', 'acme'] as const;

interface Row {
  readonly certificates: number;
  readonly everleaf: readonly (Omit<Fleet, 'certificates'> & { readonly bill: Bill; readonly usd: number })[];
  readonly privateCa: readonly { readonly lifetimeDays: number; readonly usd: number }[];
  readonly exportable: { readonly name: number; readonly wildcard: number };
  readonly cluster: number;
}

/** All that the tables show, in US dollars a month. */
export const costs = (): readonly Row[] =>
  FLEETS.map((certificates) => ({
    certificates,
    everleaf: LIFETIMES_DAYS.flatMap((lifetimeDays) =>
      ISSUERS.map((issuer) => {
        const bill = monthlyBill({ certificates, lifetimeDays, issuer });
        return { lifetimeDays, issuer, bill, usd: sumOf(bill) };
      }),
    ),
    privateCa: LIFETIMES_DAYS.map((lifetimeDays) => ({
      lifetimeDays,
      usd: privateCaPrice({ certificates, lifetimeDays }),
    })),
    exportable: {
      name: exportablePrice(certificates, 'exportableName'),
      wildcard: exportablePrice(certificates, 'exportableWildcard'),
    },
    cluster: clusterPrice(),
  }));

/** To the cent below ten dollars, to the dollar above. */
const dollars = (usd: number): string => `$${usd < 10 ? usd.toFixed(2) : Math.round(usd).toLocaleString('en')}`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [
    `| ${head.join(' | ')} |`,
    `| ${head.map((_cell, column) => (column === 0 ? '---' : '---:')).join(' | ')} |`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');

const ISSUER_NAMES = { 'acm-pca': 'ACM PCA', acme: 'ACME' } as const;

const totals = (): string =>
  table(
    [
      'certificates',
      ...LIFETIMES_DAYS.flatMap((days) => ISSUERS.map((issuer) => `${ISSUER_NAMES[issuer]}, ${days} days`)),
      'of it, secrets',
    ],
    costs().map(({ certificates, everleaf }) => [
      certificates.toLocaleString('en'),
      ...everleaf.map(({ usd }) => dollars(usd)),
      dollars(everleaf[0]?.bill.secrets ?? 0),
    ]),
  );

const beside = (): string =>
  table(
    [
      'certificates',
      'Everleaf, ACME, 47 days',
      'a cluster for cert-manager',
      'ACM exportable, one name',
      'ACM exportable, a wildcard',
      'ACM PCA’s own price, 47 days',
      'the same, 6 days',
    ],
    costs().map(({ certificates, everleaf, cluster, exportable, privateCa }) => [
      certificates.toLocaleString('en'),
      dollars(everleaf.find(({ issuer, lifetimeDays }) => issuer === 'acme' && lifetimeDays === 47)?.usd ?? NaN),
      dollars(cluster),
      dollars(exportable.name),
      dollars(exportable.wildcard),
      ...privateCa.map(({ usd }) => dollars(usd)),
    ]),
  );

/** Where the money goes, for a thousand certificates. */
const breakdown = (): string => {
  const shown = costs().find(({ certificates }) => certificates === 1_000)?.everleaf ?? [];
  return table(
    ['1,000 certificates', ...shown.map(({ issuer, lifetimeDays }) => `${ISSUER_NAMES[issuer]}, ${lifetimeDays} days`)],
    LINES.map((line) => [line, ...shown.map(({ bill }) => dollars(bill[line]))]),
  );
};

const SEEN = { AWS: 'AWS', quoted: 'quoted', memory: 'not confirmed' } as const;

/** Every digit, and no fewer than cents have. */
const exact = (usd: number): string => usd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 6 });

const prices = (): string =>
  table(
    ['what', 'price', 'read'],
    Object.values(PRICES).map(({ what, usd, per, unit, page, seen }) => [
      `[${what}](${page})`,
      `$${exact(usd)} ${per === 1 ? unit : `for ${per.toLocaleString('en')} ${unit}`}`,
      SEEN[seen],
    ]),
  );

/** The tables, by the name between whose marks they stand in the page. */
export const costTables = (): Readonly<Record<string, string>> => ({
  totals: totals(),
  breakdown: breakdown(),
  beside: beside(),
  [`prices of ${PRICED_ON}`]: prices(),
});

/** The page with its tables made anew. */
export function withCosts(page: string): string {
  return Object.entries(costTables()).reduce((text, [name, made]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/cost.md has no place for ${begin}`);
    const fenced = `\n\n<!-- prettier-ignore-start -->\n${made}\n<!-- prettier-ignore-end -->\n\n`;
    return text.slice(0, from + begin.length) + fenced + text.slice(to);
  }, page);
}
