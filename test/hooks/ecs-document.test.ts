import { describe, expect, it } from 'vitest';
import { ecs } from '../../functions/hooks/ecs/plugin.ts';

const AT = ['spec', 'ecs'] as const;
const ROLE = 'arn:aws:iam::111122223333:role/web-execution';

const complaints = (value: unknown): readonly string[] => {
  const parsed = ecs.parse(value, AT);
  return parsed.ok ? [] : parsed.objections.map(({ path, message }) => `${path.slice(2).join('.')}: ${message}`);
};
const targets = (value: unknown) => {
  const parsed = ecs.parse(value, AT);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
  return parsed.options;
};
const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `service-${index}`);

describe('`ecs` of a DeployHook', () => {
  it('makes a target of each service', () => {
    expect(targets({ cluster: 'prod', services: ['a', 'b'], region: 'eu-west-1' })).toMatchObject([
      { name: 'ecs:prod/a', options: { service: 'a', strategy: 'ForceNewDeployment', region: 'eu-west-1' } },
      { name: 'ecs:prod/b', options: { service: 'b' } },
    ]);
  });

  it.each([
    [{ services: ['a'] }, 'cluster: `spec.ecs.cluster` is missing.'],
    [{ cluster: 'prod', services: [] }, 'services: `spec.ecs.services` is too small: a list of 0.'],
    [{ cluster: 'arn:aws:ecs:x', services: ['a'] }, 'cluster: "arn:aws:ecs:x" is not the name of a cluster.'],
    [{ cluster: 'prod', services: ['a', 'a/b'] }, 'services.1: "a/b" is not the name of a service.'],
    [{ cluster: 'prod', services: ['a', 'a'] }, 'services.1: The service "a" stands here twice.'],
    [{ cluster: 'prod', services: ['a'], region: 'Europe' }, 'region: "Europe" is not an AWS Region.'],
    [{ cluster: 'prod', services: ['a'], role: 'admin' }, 'role: "admin" is not the ARN of an IAM role.'],
    [{ cluster: 'prod', services: ['a'], strategy: 'Restart' }, 'strategy: `spec.ecs.strategy` cannot be "Restart".'],
    [
      { cluster: 'prod', services: ['a'], strategy: 'PinVersion' },
      'strategy: `strategy: PinVersion` registers task definitions, and `passRoles` does not say with which roles.',
    ],
    [
      { cluster: 'prod', services: ['a'], strategy: 'PinVersion', passRoles: ['*'] },
      'passRoles.0: "*" is not the ARN of an IAM role.',
    ],
    [
      { cluster: 'prod', services: ['a'], passRoles: [ROLE] },
      'passRoles: `passRoles` has a meaning only with `strategy: PinVersion`.',
    ],
    [{ cluster: 'prod', services: ['a'], service: 'b' }, 'service: `service` is not a field of spec.ecs.'],
  ])('objects to %j', (value, message) => {
    expect(complaints(value)).toEqual([message]);
  });
});

describe('what the ECS hook asks of IAM', () => {
  const actions = (value: unknown): readonly string[] => ecs.needs(targets(value)).flatMap((grant) => grant.actions);

  it('is nothing of task definitions and roles unless versions are pinned', () => {
    const restarting = actions({ cluster: 'prod', services: ['a'] });
    expect(restarting).toContain('ecs:UpdateService');
    expect(restarting.filter((action) => /TaskDefinition|PassRole/.test(action))).toEqual([]);
  });

  it('passes the roles that are named, and to tasks alone', () => {
    const pinning = { cluster: 'prod', services: ['a'], strategy: 'PinVersion', passRoles: [ROLE] };
    expect(ecs.needs(targets(pinning)).find((grant) => grant.actions.includes('iam:PassRole'))).toEqual({
      actions: ['iam:PassRole'],
      resources: [ROLE],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    });
  });

  it('is no more than to assume the role that is named', () => {
    const elsewhere = { cluster: 'prod', services: ['a', 'b'], role: ROLE };
    expect(ecs.needs(targets(elsewhere))).toEqual([{ actions: ['sts:AssumeRole'], resources: [ROLE] }]);
  });

  it('names each of 25 services, of more the largest clusters, and of more than 25 clusters none', () => {
    const all = (sizes: readonly number[]) =>
      ecs.needs(sizes.flatMap((size, index) => [...targets({ cluster: `c${index}`, services: many(size) })]))[0]
        ?.resources;
    expect(all([2, 20, 10])).toHaveLength(13);
    expect(all([2, 20, 10])).toContain('arn:aws:ecs:*:*:service/c1/*');
    expect(all([30, 24])).toEqual([
      'arn:aws:ecs:*:*:service/c0/*',
      expect.stringContaining('/c1/'),
      ...Array<unknown>(23).fill(expect.stringContaining('/c1/')),
    ]);
    expect(all(Array<number>(26).fill(1))).toEqual(['arn:aws:ecs:*:*:service/*']);
  });

  it('names each of 25 services of one cluster, and of more the cluster', () => {
    const resources = (count: number) => ecs.needs(targets({ cluster: 'prod', services: many(count) }))[0]?.resources;
    expect(resources(25)).toHaveLength(25);
    expect(resources(500)).toEqual(['arn:aws:ecs:*:*:service/prod/*']);
  });
});
