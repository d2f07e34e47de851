import { describe, expect, test } from 'vitest';
import { inputFor } from '../../local/services/events/input.ts';
import { compilePattern } from '../../local/services/events/pattern.ts';

const event = {
  source: 'everleaf',
  'detail-type': 'Certificate Rotated',
  time: '2026-01-01T00:00:00Z',
  detail: {
    name: 'payments/orders',
    days: 30,
    names: ['a.internal', 'b.internal'],
    nothing: null,
    issuer: { kind: 'ACME' },
    hooks: [{ kind: 'ECS' }, { kind: 'EKS' }],
  },
};

describe('an event pattern', () => {
  test.each<[string, boolean, unknown]>([
    ['matches an exact value', true, { source: ['other', 'everleaf'] }],
    ['refuses another value', false, { source: ['other'] }],
    ['needs every field', false, { source: ['everleaf'], detail: { days: [31] } }],
    ['reaches into the detail', true, { detail: { issuer: { kind: ['ACME'] } } }],
    ['matches one of a list', true, { detail: { names: ['b.internal'] } }],
    ['matches one object of a list', true, { detail: { hooks: { kind: ['EKS'] } } }],
    ['tells null from absent', true, { detail: { nothing: [null] } }],
    ['prefix', true, { detail: { name: [{ prefix: 'payments/' }] } }],
    ['prefix, without case', true, { detail: { name: [{ prefix: { 'equals-ignore-case': 'PAY' } }] } }],
    ['suffix', false, { detail: { name: [{ suffix: '/cart' }] } }],
    ['anything-but', true, { detail: { name: [{ 'anything-but': ['x', 'y'] }] } }],
    ['anything-but with a prefix', false, { detail: { name: [{ 'anything-but': { prefix: 'pay' } }] } }],
    ['anything-but of an absent field', false, { detail: { absent: [{ 'anything-but': 'x' }] } }],
    ['exists', true, { detail: { days: [{ exists: true }] } }],
    ['exists not', true, { detail: { absent: [{ exists: false }] } }],
    ['exists not, below an absent field', true, { detail: { absent: { deep: [{ exists: false }] } } }],
    ['numeric range', true, { detail: { days: [{ numeric: ['>', 29, '<=', 30] }] } }],
    ['numeric of a text', false, { detail: { name: [{ numeric: ['=', 30] }] } }],
    ['equals-ignore-case', true, { detail: { issuer: { kind: [{ 'equals-ignore-case': 'acme' }] } } }],
    ['wildcard', true, { detail: { name: [{ wildcard: 'pay*/or*s' }] } }],
    ['wildcard takes a question mark as it is', false, { detail: { name: [{ wildcard: 'payments?orders' }] } }],
    ['$or', true, { $or: [{ source: ['x'] }, { detail: { days: [30] } }] }],
  ])('%s', (_name, expected, pattern) => {
    expect(compilePattern(pattern)(event)).toBe(expected);
  });

  test('with an unknown operator is refused when the rule is made', () => {
    expect(() => compilePattern({ detail: { ip: [{ cidr: '10.0.0.0/8' }] } })).toThrow(
      'EventPattern.detail.ip: the twin does not know the pattern operator cidr',
    );
  });
});

describe('a target receives', () => {
  const transformer = (InputTemplate: string) => ({
    InputTransformer: { InputPathsMap: { name: '$.detail.name', hook: '$.detail.hooks[1]' }, InputTemplate },
  });
  test.each<[string, Parameters<typeof inputFor>[0], string]>([
    ['the event', {}, JSON.stringify(event)],
    ['a constant', { Input: '{"a":1}' }, '{"a":1}'],
    ['a part', { InputPath: '$.detail.issuer' }, '{"kind":"ACME"}'],
    ['values as JSON', transformer('{"n":<name>,"h":<hook>}'), '{"n":"payments/orders","h":{"kind":"EKS"}}'],
    ['values inside text', transformer('"<name> at <aws.events.rule-name>"'), '"payments/orders at Rule"'],
    ['null for what is absent', transformer('{"n":<absent>}'), '{"n":null}'],
  ])('%s', (_name, target, expected) => {
    expect(inputFor(target, event, 'arn:aws:events:us-east-1:111122223333:rule/bus/Rule')).toBe(expected);
  });
});
