import { describe, expect, test } from 'vitest';
import { NO_VALUE, referencesIn, resolveIntrinsics, type Scope } from '../../local/template/intrinsics.ts';

const scope: Scope = {
  ref: (id) => (id === 'AWS::NoValue' ? NO_VALUE : `ref-of-${id}`),
  attribute: (id, name) => `${id}/${name}`,
  condition: (name) => name === 'Yes',
  mapping: (...path) => path.join('/'),
};

describe('an intrinsic becomes a value', () => {
  test.each<[string, unknown, unknown]>([
    ['a reference', { Ref: 'Table' }, 'ref-of-Table'],
    ['an attribute', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'Queue/Arn'],
    ['an attribute, dotted', { 'Fn::GetAtt': 'Queue.Arn' }, 'Queue/Arn'],
    ['Sub with a pseudo-parameter', { 'Fn::Sub': 'b-${AWS::Region}' }, 'b-ref-of-AWS::Region'],
    ['Sub with an attribute', { 'Fn::Sub': '${Queue.Arn}/x' }, 'Queue/Arn/x'],
    ['Sub with a variable', { 'Fn::Sub': ['${a}-${B}', { a: { Ref: 'A' } }] }, 'ref-of-A-ref-of-B'],
    ['Sub with a literal', { 'Fn::Sub': '${!aws:username}' }, '${aws:username}'],
    ['Join', { 'Fn::Join': [':', ['arn', { Ref: 'A' }, 1]] }, 'arn:ref-of-A:1'],
    ['Select of Split', { 'Fn::Select': [1, { 'Fn::Split': ['-', { Ref: 'X' }] }] }, 'of'],
    ['If, true', { 'Fn::If': ['Yes', 'a', 'b'] }, 'a'],
    ['If, false', { 'Fn::If': ['No', 'a', { Ref: 'B' }] }, 'ref-of-B'],
    ['Equals', { 'Fn::Equals': ['ref-of-A', { Ref: 'A' }] }, true],
    ['Not', { 'Fn::Not': [{ 'Fn::Equals': ['a', 'b'] }] }, true],
    ['And', { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] }, false],
    ['Or', { 'Fn::Or': [{ Condition: 'Yes' }, { Condition: 'No' }] }, true],
    ['a map', { 'Fn::FindInMap': ['M', 'a', { Ref: 'B' }] }, 'M/a/ref-of-B'],
    ['NoValue in a list and an object', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
    ['a policy condition, which is none', { Condition: { Bool: { k: 'v' } } }, { Condition: { Bool: { k: 'v' } } }],
  ])('%s', (_name, value, expected) => {
    expect(resolveIntrinsics(value, scope, 'Resources.X')).toEqual(expected);
  });

  test('one that is not known is an error that names its place', () => {
    const value = { Properties: { Key: [{ 'Fn::Cidr': ['10.0.0.0/8'] }] } };
    expect(() => resolveIntrinsics(value, scope, 'Resources.X')).toThrow(
      'Resources.X.Properties.Key[0]: the twin does not know the intrinsic Fn::Cidr',
    );
  });
});

test('references are found in every form', () => {
  const value = [{ Ref: 'A' }, { 'Fn::GetAtt': 'B.Arn' }, { 'Fn::Sub': ['${C} ${D.Arn} ${!E}', { x: { Ref: 'F' } }] }];
  expect(referencesIn(value).toSorted()).toEqual(['A', 'B', 'C', 'D', 'F']);
});
