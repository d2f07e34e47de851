import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../functions/core/ports.ts';
import type { Deployed, DeployHook, DeployRequest, Release } from '../../functions/core/rollout/ports.ts';

/** One target, with a first release that it serves already. */
export interface HookUnderTest {
  /** A hook as another invocation would make it: it remembers nothing. */
  readonly hook: () => Promise<DeployHook>;
  readonly first: Release;
  /** Stores another version and makes it current. */
  readonly next: () => Promise<Release>;
  /** Makes an earlier version current again. */
  readonly promote: (release: Release) => Promise<void>;
  /** SHA-256 of the leaf that is really served. */
  readonly served: () => Promise<string>;
  /** Deployments that the target has begun, the one with `first` not counted. */
  readonly deployments: () => number;
  /** Nothing of the target's moves any more. */
  readonly settled: () => Promise<void>;
  /** Deployments that begin from now on do not get further until what it answers is called. */
  readonly hold: () => () => void;
  /** What is deployed from now on does not come up, and the target takes it back. */
  readonly spoil: () => void;
  /** Somebody deletes the target. */
  readonly remove: () => void;
  /** Answers the calls that `work` made; the one numbered `killAfter` (from 0) is answered to nobody: the caller is dead by then. */
  readonly interrupted: (killAfter: number, work: () => Promise<unknown>) => Promise<number>;
}

export const requestFor = (release: Release, intent: DeployRequest['intent'] = 'deploy'): DeployRequest => ({
  rolloutId: randomUUID(),
  intent,
  release,
});

/** Looks until it is done, by a new hook each time. */
export async function finished(under: HookUnderTest, request: DeployRequest, begun: Step<Deployed>): Promise<Deployed> {
  let step = begun;
  for (let looks = 0; step.status === 'waiting'; looks++) {
    if (looks === 20) throw new Error('never done');
    await under.settled();
    step = await (await under.hook()).check(request, step.ticket);
  }
  return step.value;
}

/** The duties of every DeployHook. */
export function deployHookContract(name: string, make: () => Promise<HookUnderTest>): void {
  describe(`deploy hook: ${name}`, () => {
    const start = async (under: HookUnderTest, request: DeployRequest): Promise<Step<Deployed>> =>
      (await under.hook()).start(request);

    it('brings a version to what is served, which holds the one before until then', async () => {
      const under = await make();
      const request = requestFor(await under.next());
      expect(await under.served()).toBe(under.first.sha256Fingerprint);
      const { replacedAll } = await finished(under, request, await start(under, request));
      expect(replacedAll).toBe(true);
      expect(await under.served()).toBe(request.release.sha256Fingerprint);
      expect(under.deployments()).toBe(1);
    });

    it('waits, in its own time, for a deployment that is under way', async () => {
      const under = await make();
      const request = requestFor(await under.next());
      const release = under.hold();
      const begun = await start(under, request);
      if (begun.status !== 'waiting') throw new Error('done before it was');
      const looked = await (await under.hook()).check(request, begun.ticket);
      expect(looked).toMatchObject({ status: 'waiting' });
      expect(looked.status === 'waiting' && looked.checkAfterSeconds).toBeGreaterThan(0);
      release();
      await finished(under, request, looked);
    });

    it('deploys once, however often it is started for one request', async () => {
      const under = await make();
      const request = requestFor(await under.next());
      const release = under.hold();
      await start(under, request);
      const second = await start(under, request);
      release();
      await finished(under, request, second);
      await finished(under, request, await start(under, request));
      expect(under.deployments()).toBe(1);
    });

    it('deploys once, wherever it is killed', async () => {
      const counted = await make();
      const harmless = requestFor(await counted.next());
      const calls = await counted.interrupted(Infinity, async () => start(counted, harmless));
      expect(calls).toBeGreaterThan(1);
      for (let killAfter = 0; killAfter < calls; killAfter++) {
        const under = await make();
        const request = requestFor(await under.next());
        await under.interrupted(killAfter, async () => start(under, request));
        await under.settled();
        await finished(under, request, await start(under, request));
        expect([killAfter, under.deployments()]).toEqual([killAfter, 1]);
        expect(await under.served()).toBe(request.release.sha256Fingerprint);
      }
    });

    it('brings an earlier version back', async () => {
      const under = await make();
      const there = requestFor(await under.next());
      await finished(under, there, await start(under, there));
      await under.promote(under.first);
      const back = requestFor(under.first, 'rollback');
      await finished(under, back, await start(under, back));
      expect(await under.served()).toBe(under.first.sha256Fingerprint);
    });

    it('calls a deployment that the target takes back a failure, and says whose', async () => {
      const under = await make();
      const request = requestFor(await under.next());
      under.spoil();
      const begun = await start(under, request);
      await expect(finished(under, request, begun)).rejects.toMatchObject({
        class: 'permanent',
        code: 'DeploymentUndone',
      });
      // Nobody deploys it again unasked.
      const again = finished(under, request, await start(under, request));
      await expect(again).rejects.toMatchObject({ code: 'DeploymentUndone' });
      expect(await under.served()).toBe(under.first.sha256Fingerprint);
    });

    it('says of a target that is gone that it is', async () => {
      const under = await make();
      const request = requestFor(await under.next());
      under.remove();
      await expect(start(under, request)).rejects.toMatchObject({ class: 'permanent', code: 'TargetMissing' });
    });
  });
}
