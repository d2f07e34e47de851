import type { SubjectAttributes } from '../certificate.ts';
import type { CertificateFields } from './certificate-shape.ts';
import { error, type Problem } from './finding.ts';
import { reading, type Reading } from './reading.ts';
import { showValue } from './show-value.ts';

/** Upper bounds in characters (RFC 5280 appendix A.1; `streetAddresses` from X.520). */
const BOUNDS = {
  organizations: 64,
  organizationalUnits: 64,
  localities: 128,
  provinces: 128,
  streetAddresses: 128,
  postalCodes: 40,
  countries: 2,
  serialNumber: 64,
} as const;

type Attribute = keyof typeof BOUNDS;

const MAXIMUM_VALUES = 10;

export function readSubject({ subject = {} }: CertificateFields): Reading<SubjectAttributes> {
  const problems = (Object.keys(BOUNDS) as Attribute[]).flatMap((attribute): Problem[] => {
    const value = subject[attribute];
    const path = ['spec', 'subject', attribute];
    if (value === undefined || value === '') return [];
    if (typeof value === 'string') return textProblems(attribute, value, path);
    if (value.length > MAXIMUM_VALUES) {
      const message = `\`${attribute}\` has ${value.length} values; ${MAXIMUM_VALUES} is the most.`;
      return [error('OutOfRange', path, message, 'Keep the ones that somebody reads.')];
    }
    return value.flatMap((text, index) => textProblems(attribute, text, [...path, index]));
  });
  const { serialNumber, ...lists } = subject;
  const attributes = { ...lists, ...(serialNumber === undefined || serialNumber === '' ? {} : { serialNumber }) };
  return reading(withoutUndefined(attributes), problems);
}

function textProblems(attribute: Attribute, text: string, path: readonly (string | number)[]): Problem[] {
  if (attribute === 'countries') {
    if (/^[A-Za-z]{2}$/.test(text)) return [];
    const message = `${showValue(text)} is not a country code.`;
    return [error('InvalidSubject', path, message, 'Write two letters (ISO 3166), as in `DE`.')];
  }
  if (text === '' || /\p{Cc}/u.test(text)) {
    const message = `${showValue(text)} cannot be part of a subject.`;
    return [error('InvalidSubject', path, message, 'Write plain text, or remove the line.')];
  }
  if (Array.from(text).length <= BOUNDS[attribute]) return [];
  const message = `${showValue(text)} is longer than a subject's \`${attribute}\` may be (RFC 5280).`;
  return [error('InvalidSubject', path, message, `Use at most ${BOUNDS[attribute]} characters.`)];
}

/** Fields that are absent, rather than there with nothing in them: what is stored compares equal to what is read back. */
function withoutUndefined(attributes: SubjectAttributes): SubjectAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
