import { describe, expect, it } from 'vitest';
import type { Workload } from '../../functions/hooks/eks/options.ts';
import { readWorkload, restartsAll, rolloutStatus } from '../../functions/hooks/eks/rollout-status.ts';

type Kind = Workload['kind'];

const workload = (spec: object, status?: object) =>
  readWorkload({
    metadata: { generation: 2 },
    spec: { template: {}, ...spec },
    ...(status === undefined ? {} : { status }),
  });
const judge = (kind: Kind, spec: object, status: object) =>
  rolloutStatus(kind, workload(spec, { observedGeneration: 2, ...status }));

const DEADLINE = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'no progress' };

describe('the roll-out of a workload', () => {
  it.each<[string, Kind, object, object, string]>([
    ['old pods only', 'Deployment', { replicas: 3 }, { replicas: 3, updatedReplicas: 1 }, '1 of 3 pods are new'],
    ['old pods left', 'Deployment', { replicas: 3 }, { replicas: 4, updatedReplicas: 3 }, '1 old pods have not ended'],
    [
      'pods not ready',
      'Deployment',
      { replicas: 3 },
      { replicas: 3, updatedReplicas: 3, availableReplicas: 2 },
      '2 of 3 new pods are available',
    ],
    ['a pause', 'Deployment', { replicas: 1, paused: true }, {}, 'it is paused'],
    [
      'an old revision',
      'StatefulSet',
      { replicas: 2 },
      { updatedReplicas: 1, readyReplicas: 2, currentRevision: 'a', updateRevision: 'b' },
      '1 of 2 pods are new',
    ],
    [
      'a template that was taken back before all pods had it',
      'StatefulSet',
      { replicas: 3 },
      { updatedReplicas: 2, currentReplicas: 2, readyReplicas: 3, currentRevision: 'a', updateRevision: 'a' },
      '2 of 3 pods are new',
    ],
    [
      'pods not ready',
      'StatefulSet',
      { replicas: 2 },
      { updatedReplicas: 2, readyReplicas: 1, currentRevision: 'b', updateRevision: 'b' },
      '1 of 2 pods are ready',
    ],
    ['old pods', 'DaemonSet', {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 1 }, '1 of 2 pods are new'],
    [
      'pods not ready',
      'DaemonSet',
      {},
      { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 },
      '1 of 2 pods are available',
    ],
  ])('is under way with %s (%s)', (_what, kind, spec, status, detail) => {
    expect(judge(kind, spec, status)).toEqual({ state: 'progressing', detail });
  });

  it.each<[Kind, object, object]>([
    ['Deployment', { replicas: 2 }, { replicas: 2, updatedReplicas: 2, availableReplicas: 2 }],
    ['Deployment', { replicas: 0 }, {}],
    ['StatefulSet', {}, { updatedReplicas: 1, readyReplicas: 1, currentRevision: 'b', updateRevision: 'b' }],
    // Kubernetes before 1.17 counts those of the one revision as current alone (kubernetes#76748).
    ['StatefulSet', {}, { currentReplicas: 1, readyReplicas: 1, currentRevision: 'b', updateRevision: 'b' }],
    ['DaemonSet', {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }],
    ['DaemonSet', {}, {}],
  ])('of a %s with %j is complete at %j', (kind, spec, status) => {
    expect(judge(kind, spec, status)).toEqual({ state: 'complete' });
  });

  it('is not judged by what its controller says of an older template', () => {
    const old = {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      availableReplicas: 1,
      conditions: [DEADLINE],
    };
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'] as const) {
      expect(rolloutStatus(kind, workload({}, old)).state).toBe('progressing');
      // Nor by a controller that has never looked.
      expect(rolloutStatus(kind, workload({})).state).toBe('progressing');
    }
  });

  it('of a Deployment whose controller gave up has failed, in its words', () => {
    expect(judge('Deployment', {}, { conditions: [DEADLINE] })).toEqual({ state: 'failed', detail: 'no progress' });
  });

  it('replaces all pods, but for partitions and OnDelete', () => {
    expect(restartsAll(workload({}))).toBe(true);
    expect(restartsAll(workload({ updateStrategy: { type: 'OnDelete' } }))).toBe(false);
    const partition = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
    expect(restartsAll(workload({ updateStrategy: partition }))).toBe(false);
    expect(
      judge('StatefulSet', { replicas: 3, updateStrategy: partition }, { updatedReplicas: 2, readyReplicas: 3 }),
    ).toEqual({
      state: 'complete',
    });
  });
});
