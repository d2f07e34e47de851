import { describe, expect, it, test } from 'vitest';
import { CERTIFICATE, parse, places } from './support.ts';

describe('metadata', () => {
  test.each([
    ['a missing name', '  labels: {}', '3:1 error MissingField'],
    ['a generated name', '  generateName: orders-', '4:3 error GenerateName'],
    ['a name with capitals', '  name: Orders', '4:9 error InvalidName'],
    ['a namespace with a dot', '  name: orders\n  namespace: a.b', '5:14 error InvalidName'],
    ['a label that is a number', '  name: orders\n  labels: { version: 1.0 }', '5:22 error WrongType'],
    ['a label with a space in it', '  name: orders\n  labels: { team: a b }', '5:19 error InvalidLabel'],
    ['a label whose name is no name', '  name: orders\n  labels: { -x: a }', '5:13 error InvalidLabel'],
    ['an unknown field', '  name: orders\n  label: {}', '5:3 error UnknownField'],
    [
      'an annotation that asks for a temporary certificate',
      '  name: orders\n  annotations:\n    cert-manager.io/issue-temporary-certificate: "true"',
      '6:50 warning NoMeaningHere',
    ],
  ])('%s is told of', (_, lines, finding) => {
    expect(places(parse(CERTIFICATE.replace('  name: orders', lines)))).toEqual([finding]);
  });

  it('as a cluster prints it is accepted without a word', () => {
    const metadata = `  name: orders
  uid: 1a2b
  resourceVersion: "7"
  generation: 2
  creationTimestamp: null
  managedFields: [{ manager: kubectl }]
  ownerReferences: [{ kind: Ingress, name: orders }]
  generateName: orders-
  annotations: { kubectl.kubernetes.io/last-applied-configuration: "{}" }
`;
    const text = `${CERTIFICATE.replace('  name: orders\n', metadata)}status: { conditions: [{ type: Ready }], revision: null }\n`;
    expect(places(parse(text))).toEqual([]);
  });
});
