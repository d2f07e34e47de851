import type { Usage } from '../certificate.ts';
import type { CertificateFields } from './certificate-shape.ts';
import { warning, type Problem } from './finding.ts';
import { reading, type Reading } from './reading.ts';

/** cert-manager's, for an absent list and for an empty one. */
const DEFAULT_USAGES: readonly Usage[] = ['digital signature', 'key encipherment'];

export function readUsages({ usages = [] }: CertificateFields): Reading<Usage[]> {
  const problems = usages.flatMap((usage, index): Problem[] => {
    const first = usages.indexOf(usage);
    if (first === index) return [];
    const message = `"${usage}" is already item ${first + 1} of \`usages\`.`;
    return [warning('DuplicateUsage', ['spec', 'usages', index], message, 'Remove this one.')];
  });
  return reading(usages.length === 0 ? [...DEFAULT_USAGES] : [...new Set(usages)], problems);
}
