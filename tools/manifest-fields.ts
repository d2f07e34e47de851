import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DNS01_FIELDS } from '../functions/challenges/dns-01/fields.ts';
import { CERTIFICATE_FIELDS } from '../functions/core/manifest/certificate-fields.ts';
import { HOOK_FIELDS } from '../functions/core/manifest/hook-fields.ts';
import type { Field } from '../functions/core/manifest/fields.ts';
import { ISSUER_METADATA_FIELDS, OTHER_ISSUER_FIELDS } from '../functions/core/manifest/issuer-fields.ts';
import { ROUTE53_FIELDS } from '../functions/dns/route53/fields.ts';
import { ACM_PCA_FIELDS } from '../functions/issuers/acm-pca/fields.ts';
import { ACME_FIELDS } from '../functions/issuers/acme/fields.ts';

export const MANIFEST_PAGE = join(import.meta.dirname, '..', 'docs', 'manifest.md');

/** Of Issuer and ClusterIssuer, which whoever reads a part of them has a part of. */
export const ISSUER_FIELDS = [
  ...ISSUER_METADATA_FIELDS,
  ...ACME_FIELDS,
  ...DNS01_FIELDS,
  ...ROUTE53_FIELDS,
  ...OTHER_ISSUER_FIELDS,
] as const;

/** The tables of the page, by the name in their markers. */
const TABLES: Readonly<Record<string, readonly Field[]>> = {
  Certificate: CERTIFICATE_FIELDS,
  AWSPCAIssuer: ACM_PCA_FIELDS,
  Issuer: ISSUER_FIELDS,
  DeployHook: HOOK_FIELDS,
};

const SYMBOLS = { honoured: '✔', warned: '⚠', refused: '✘', record: '·' } as const;

/** The page with its tables as the code has them; what people wrote around them stays. */
export function withTables(page: string): string {
  return Object.entries(TABLES).reduce((text, [name, fields]) => {
    const [begin, end] = [`<!-- fields of ${name} -->`, `<!-- end of ${name} -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`the page has no place for the fields of ${name}`);
    // Prettier would align the columns by their longest cell.
    const block = `${begin}\n\n<!-- prettier-ignore-start -->\n${table(fields)}\n<!-- prettier-ignore-end -->\n\n`;
    return text.slice(0, from) + block + text.slice(to);
  }, page);
}

function table(fields: readonly Field[]): string {
  const rows = fields.map((field) => `| \`${field.path}\` | ${SYMBOLS[field.verdict]} | ${meaning(field)} |`);
  return ['| field | | what it does here |', '| --- | --- | --- |', ...rows].join('\n');
}

function meaning(field: Field): string {
  switch (field.verdict) {
    case 'honoured': {
      const otherwise = field.default === undefined ? '' : ` Default: ${field.default}.`;
      const deviation = field.deviates === undefined ? '' : ` _Not as in cert-manager: ${field.deviates}._`;
      return `${field.does}${otherwise}${deviation}`;
    }
    case 'record':
      return `Left out without a word: ${field.holds}.`;
    default:
      return `${field.verdict === 'refused' ? 'Refused' : 'No effect, with a warning'}: ${field.because}. ${field.remedy}`;
  }
}

if (import.meta.main) writeFileSync(MANIFEST_PAGE, withTables(readFileSync(MANIFEST_PAGE, 'utf8')));
