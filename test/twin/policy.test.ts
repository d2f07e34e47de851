import { describe, expect, test } from 'vitest';
import { judge, parsePolicy } from '../../local/iam/policy.ts';

const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:everleaf/orders-AbCdEf';
const request = {
  action: 'secretsmanager:GetSecretValue',
  resource: secret,
  context: {
    'aws:ResourceTag/app': 'everleaf',
    'aws:TagKeys': ['app', 'team'],
    'aws:SourceArn': 'arn:aws:events:r:1:rule/b/r',
  },
};
const allow = { Effect: 'Allow', Action: 'secretsmanager:*', Resource: '*' };

function verdict(...statements: unknown[]): string {
  return judge(parsePolicy({ Version: '2012-10-17', Statement: statements }, 'Policy'), request);
}

describe('a policy', () => {
  test.each<[string, string, unknown[]]>([
    ['allows what it names', 'allowed', [{ ...allow, Action: 'secretsmanager:GetSecretValue', Resource: secret }]],
    ['compares actions without case', 'allowed', [{ ...allow, Action: 'SecretsManager:getsecretvalue' }]],
    [
      'knows both wildcards',
      'allowed',
      [{ ...allow, Resource: secret.replace('AbCdEf', '??????').replace('orders', '*') }],
    ],
    ['allows nothing by itself', 'not allowed', [{ ...allow, Action: 'secretsmanager:PutSecretValue' }]],
    ['denies above all', 'denied', [allow, { ...allow, Effect: 'Deny' }]],
    ['NotAction', 'allowed', [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }]],
    ['NotResource', 'not allowed', [{ Effect: 'Allow', Action: '*', NotResource: '*:secret:everleaf/*' }]],
  ])('%s', (_name, expected, statements) => {
    expect(verdict(...statements)).toBe(expected);
  });
});

describe('a condition', () => {
  test.each<[string, boolean, Record<string, Record<string, unknown>>]>([
    ['StringEquals', true, { StringEquals: { 'aws:resourcetag/app': ['x', 'everleaf'] } }],
    ['StringEquals on another value', false, { StringEquals: { 'aws:ResourceTag/app': 'x' } }],
    ['StringEquals on an absent key', false, { StringEquals: { 'aws:ResourceTag/no': 'x' } }],
    ['StringEqualsIfExists on an absent key', true, { StringEqualsIfExists: { 'aws:ResourceTag/no': 'x' } }],
    ['StringNotEquals on an absent key', true, { StringNotEquals: { 'aws:ResourceTag/no': 'x' } }],
    ['StringNotEquals', false, { StringNotEquals: { 'aws:ResourceTag/app': 'everleaf' } }],
    ['StringLike', true, { StringLike: { 'aws:ResourceTag/app': 'ever*' } }],
    ['ArnLike keeps within colons', false, { ArnLike: { 'aws:SourceArn': 'arn:aws:*:rule/b/r' } }],
    ['ArnEquals takes wildcards', true, { ArnEquals: { 'aws:SourceArn': 'arn:aws:events:r:*:rule/*' } }],
    ['Null, absent', true, { Null: { 'aws:ResourceTag/no': true } }],
    ['Null, present', false, { Null: { 'aws:ResourceTag/app': 'true' } }],
    ['Bool', false, { Bool: { 'aws:SecureTransport': 'false' } }],
    ['ForAllValues', true, { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['app', 'team', 'z'] } }],
    ['ForAllValues with one too many', false, { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['app'] } }],
    ['ForAnyValue', true, { 'ForAnyValue:StringLike': { 'aws:TagKeys': 't*' } }],
    ['ForAnyValue on an absent key', false, { 'ForAnyValue:StringNotEquals': { 'aws:RequestTag/x': 't' } }],
    [
      'two keys must both hold',
      false,
      { StringEquals: { 'aws:ResourceTag/app': 'everleaf', 'aws:ResourceTag/no': 'x' } },
    ],
  ])('%s', (_name, expected, Condition) => {
    expect(verdict({ ...allow, Condition })).toBe(expected ? 'allowed' : 'not allowed');
  });

  test.each<[string, unknown, string]>([
    ['operator', { NumericLessThan: { 'aws:SourceArn': '1' } }, 'does not know the condition operator NumericLessThan'],
    ['key', { StringEquals: { 'aws:username': 'x' } }, 'never supplies the condition key aws:username'],
    [
      'variable',
      { StringEquals: { 'aws:SourceArn': '${aws:PrincipalTag/x}' } },
      'does not substitute policy variables',
    ],
  ])('with an unknown %s is an error, never a pass', (_name, Condition, message) => {
    expect(() => verdict({ ...allow, Condition })).toThrow(message);
  });
});
