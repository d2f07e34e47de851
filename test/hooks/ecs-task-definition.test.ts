import { describe, expect, it } from 'vitest';
import type { Release } from '../../functions/core/rollout/ports.ts';
import { countReferences, pinned } from '../../functions/hooks/ecs/task-definition.ts';
import { id } from '../support/builders.ts';
import { aRelease } from '../rollout/simulation.ts';

const PARTIAL = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:Everleaf/shop-tls';
const ARN = `${PARTIAL}-AbCdEf`;
const RELEASE: Release = { ...aRelease(2), certificate: id('default/shop'), ref: ARN };
const VERSION = RELEASE.version;

const containing = (...references: readonly string[]) => ({
  family: 'web',
  containerDefinitions: [
    { name: 'web', secrets: references.map((valueFrom, index) => ({ name: `S${index}`, valueFrom })) },
  ],
});

describe('a reference to the secret of a release', () => {
  it.each([
    ['its ARN', ARN, `${ARN}:::${VERSION}`],
    ['its ARN and a key', `${ARN}:tls.key::`, `${ARN}:tls.key::${VERSION}`],
    ['its ARN and another version', `${ARN}:tls.key::v1`, `${ARN}:tls.key::${VERSION}`],
    ['its ARN without the suffix, as CDK writes it', `${PARTIAL}:tls.key::`, `${ARN}:tls.key::${VERSION}`],
    [
      'a replica of it',
      `${ARN.replace('eu-central-1', 'eu-west-1')}:tls.crt::`,
      `${ARN.replace('eu-central-1', 'eu-west-1')}:tls.crt::${VERSION}`,
    ],
  ])('is %s, and is pinned in full', (_what, valueFrom, wanted) => {
    const definition = containing(valueFrom);
    expect(countReferences(definition, RELEASE)).toEqual({ all: 1, pinned: 0 });
    const revision = pinned(definition, [], RELEASE);
    expect(revision.containerDefinitions?.[0]?.secrets?.[0]?.valueFrom).toBe(wanted);
    expect(countReferences(revision, RELEASE)).toEqual({ all: 1, pinned: 1 });
  });

  it.each([
    ['another secret, whose name goes on', `${PARTIAL}-old-AbCdEf:tls.key::`],
    ['another secret, whose name is a part', `${PARTIAL.slice(0, -4)}:tls.key::`],
    ['one of another account', `${ARN.replace('111122223333', '444455556666')}:tls.key::`],
    ['a parameter', 'arn:aws:ssm:eu-central-1:111122223333:parameter/Everleaf/shop-tls'],
    ['a name', 'Everleaf/shop-tls'],
    ['nothing', ''],
  ])('is not %s', (_what, valueFrom) => {
    const definition = containing(valueFrom);
    expect(countReferences(definition, RELEASE)).toEqual({ all: 0, pinned: 0 });
    expect(pinned(definition, [], RELEASE).containerDefinitions).toEqual(definition.containerDefinitions);
  });
});
