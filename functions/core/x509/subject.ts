import type { SubjectAttributes } from '../certificate.ts';

export const ID_AT_COMMON_NAME = '2.5.4.3';
export const ID_AT_SERIAL_NUMBER = '2.5.4.5';
export const ID_AT_COUNTRY = '2.5.4.6';

/** X.520 attribute types, in the order in which cert-manager (Go's `pkix.Name`) writes them. */
const TYPES: readonly (readonly [string, Exclude<keyof SubjectAttributes, 'serialNumber'>])[] = [
  [ID_AT_COUNTRY, 'countries'],
  ['2.5.4.10', 'organizations'],
  ['2.5.4.11', 'organizationalUnits'],
  ['2.5.4.7', 'localities'],
  ['2.5.4.8', 'provinces'],
  ['2.5.4.9', 'streetAddresses'],
  ['2.5.4.17', 'postalCodes'],
];

/** A subject as attribute types (OIDs) with their values, the common name left out. */
export function subjectAttributes(
  subject: SubjectAttributes,
): readonly { readonly type: string; readonly values: readonly string[] }[] {
  const lists = TYPES.map(([type, name]) => ({ type, values: subject[name] ?? [] }));
  const { serialNumber } = subject;
  return serialNumber === undefined ? lists : [...lists, { type: ID_AT_SERIAL_NUMBER, values: [serialNumber] }];
}
