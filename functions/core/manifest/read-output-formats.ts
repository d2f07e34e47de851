import type { CertificateSpec, OutputFormat } from '../certificate.ts';
import type { CertificateFields } from './certificate-shape.ts';
import { error, type Problem } from './finding.ts';
import { reading, type Reading } from './reading.ts';

/** Absent rather than empty where nothing is asked for: what is stored compares equal to what is read back. */
export function readOutputFormats({
  additionalOutputFormats = [],
}: CertificateFields): Reading<Pick<CertificateSpec, 'outputFormats'>> {
  const seen = new Set<OutputFormat>();
  const problems = additionalOutputFormats.flatMap(({ type }, index): Problem[] => {
    if (!seen.has(type)) {
      seen.add(type);
      return [];
    }
    const path = ['spec', 'additionalOutputFormats', index, 'type'];
    return [error('DuplicateFormat', path, `The format ${type} stands twice.`, 'Remove this one.')];
  });
  return reading(seen.size === 0 ? {} : { outputFormats: [...seen] }, problems);
}
