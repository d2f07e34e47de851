import { CERTIFICATE_FIELDS } from './certificate-fields.ts';
import type { CertificateFields } from './certificate-shape.ts';
import type { DeclinedField, Field } from './fields.ts';
import { atKey, error, warning, type Problem } from './finding.ts';

const SPEC = 'spec.';

/** Rows about one field of `spec`, by its name there. What is declined in `metadata` is told where that is read. */
const DECLINED = (CERTIFICATE_FIELDS as readonly Field[]).flatMap((field) =>
  (field.verdict === 'refused' || field.verdict === 'warned') && field.path.startsWith(SPEC)
    ? [{ name: field.path.slice(SPEC.length) as keyof CertificateFields, field }]
    : [],
);

/** One finding for each field that is understood and not carried out. */
export function unsupportedFieldProblems(fields: CertificateFields): Problem[] {
  const declined = DECLINED.filter(({ name }) => !asksNothing(fields[name]) && !isWhatHappensAnyway(name, fields));
  const problems = declined.map(({ name, field }) => declinedProblem(field, name));
  return [...problems, ...(fields.isCA === true ? [CA_CERTIFICATE] : [])];
}

/** Absent, or empty all through: how charts write what nobody filled in, and Go what is left out. */
export function asksNothing(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  return typeof value === 'object' && value !== null && Object.values(value).every(asksNothing);
}

const isWhatHappensAnyway = (name: keyof CertificateFields, fields: CertificateFields): boolean =>
  name === 'encodeUsagesInRequest' && fields.encodeUsagesInRequest === true;

function declinedProblem({ verdict, because, remedy }: DeclinedField, name: string): Problem {
  const path = ['spec', name];
  return atKey(
    verdict === 'refused'
      ? error('NotSupportedYet', path, `\`${name}\` is not supported yet: ${because}.`, remedy)
      : warning('NoMeaningHere', path, `\`${name}\` has no effect here: ${because}.`, remedy),
  );
}

const CA_CERTIFICATE = error(
  'NotSupportedYet',
  ['spec', 'isCA'],
  'CA certificates are not supported yet: a key that can sign others needs more care than a leaf.',
  'Write `isCA: false`, and create subordinate CAs at the CA itself.',
);
