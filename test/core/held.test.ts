import { describe, expect, it } from 'vitest';
import { attemptId, versionId } from '../../functions/core/certificate.ts';
import { decide, dueAt, dueReason, owesRollout, wantedHooks } from '../../functions/core/decide.ts';
import { type CertificateRecord, renewAt } from '../../functions/core/record.ts';
import { hookRef } from '../../functions/core/rollout/hook-spec.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, ISSUER, NOON } from '../support/builders.ts';

const HOOK = hookRef.parse('payments/orders@0123456789ab');
const OTHER = hookRef.parse('payments/orders@ffffffffffff');
const SPEC = aSpec({ hooks: [HOOK] });

type Version = NonNullable<CertificateRecord['current']>;
const version = (name: string, made: Instant, lifeMs = 90 * DAY_MS): Version => ({
  version: versionId.parse(name),
  secretName: 'orders-tls',
  issuerRef: ISSUER.ref,
  leaf: aLeaf({ notBefore: made, notAfter: made + lifeMs, serialNumber: name.toUpperCase() }),
  specDigest: specDigest(SPEC),
  issuedAt: made,
});

const [FIRST, SECOND] = [version('v1', NOON - 60 * DAY_MS), version('v2', NOON)];
const rotated = (overrides: Partial<CertificateRecord> = {}): CertificateRecord => ({
  ...declare(SPEC, { actor: 'sync', at: NOON }),
  storeInspected: true,
  generation: 2,
  current: SECOND,
  previous: FIRST,
  rollout: { generation: 2, hooks: [HOOK], state: 'underWay', at: NOON },
  ...overrides,
});

const after = (record: CertificateRecord, ...happenings: readonly Happening[]): CertificateRecord =>
  happenings.reduce((state, happening) => apply(state, happening, { actor: 'deploy', at: NOON }), record);
const revocationOf = ({ version }: Version): Happening => ({
  event: 'RevocationRequested',
  version,
  reason: 'keyCompromise',
  by: 'me',
});
const ROLLED_BACK: Happening = { event: 'RolledBack', undone: SECOND.version, cause: 'DeploymentUndone: no' };
const back = (record = rotated()): CertificateRecord => after(record, ROLLED_BACK);

describe('a roll-out is owed', () => {
  it.each<[string, Partial<CertificateRecord>, boolean]>([
    ['by a version that none was opened for', { generation: 3 }, true],
    ['by other hooks', { spec: aSpec({ hooks: [OTHER] }) }, true],
    ['by a hook more', { spec: aSpec({ hooks: [HOOK, OTHER] }) }, true],
    ['by the last hook that goes', { spec: aSpec() }, true],
    ['by one that is retired: what is under way ends', { retiredAt: NOON }, true],
    ['not for the version and hooks that one was opened for', {}, false],
  ])('%s', (_, overrides, owes) => {
    expect(owesRollout(rotated(overrides))).toBe(owes);
  });

  it('by a first version with hooks, and by none without', () => {
    const { rollout: _none, ...never } = rotated();
    expect(owesRollout(never)).toBe(true);
    expect(owesRollout({ ...never, spec: aSpec() })).toBe(false);
    const { current: _nothing, ...unissued } = never;
    expect(owesRollout(unissued)).toBe(false);
  });

  it('and is opened at once, before anybody is told, whatever else has to wait', () => {
    const record = { ...rotated({ generation: 3, waitUntil: NOON + DAY_MS }), outbox: [{} as never] };
    expect(decide(record, NOON)).toMatchObject({ do: 'openRollout', current: { version: 'v2' } });
    expect(dueAt(rotated({ generation: 3 }))).toBe(NOON);
    const opened = after(rotated({ generation: 3 }), { event: 'RolloutOpened', hooks: [HOOK, OTHER] });
    expect(opened.rollout).toStrictEqual({ generation: 3, hooks: [HOOK, OTHER], state: 'underWay', at: NOON });
    expect(opened.history.at(-1)?.cause).toBe(`hooks ${HOOK}, ${OTHER}`);
    expect(decide({ ...opened, spec: aSpec({ hooks: [HOOK, OTHER] }) }, NOON).do).toBe('rest');
  });

  it('to nobody by what is not in the manifest any more', () => {
    expect(wantedHooks(rotated({ retiredAt: NOON }))).toEqual([]);
    expect(wantedHooks(rotated())).toEqual([HOOK]);
    const ended = after(back(), { event: 'RolloutOpened', hooks: [] });
    expect(ended).not.toHaveProperty('rollout');
    expect(ended).not.toHaveProperty('held');
    expect(ended.history.at(-1)).toMatchObject({ event: 'RolloutOpened', cause: 'no hook is left' });
  });
});

describe('a version that was rolled back', () => {
  it('is held, the one before is current, and consumers see another generation', () => {
    const record = back();
    expect(record).toMatchObject({
      generation: 3,
      current: { version: 'v1' },
      previous: { version: 'v2' },
      rollout: { generation: 3, state: 'rolledBack' },
      held: { version: { version: 'v2' }, since: NOON, cause: 'DeploymentUndone: no' },
    });
    expect(owesRollout(record)).toBe(false);
    expect(record.history.at(-1)).toMatchObject({ event: 'RolledBack', version: 'v1', cause: 'DeploymentUndone: no' });
  });

  it('is not rolled back again by the same word: a write whose answer was lost is written twice', () => {
    const once = back();
    expect(after(once, ROLLED_BACK)).toEqual(once);
  });

  it('is not replaced by a tick, though the one in use is past its renewal', () => {
    const record = back();
    expect(renewAt(record, FIRST)).toBeLessThanOrEqual(NOON + DAY_MS);
    expect(dueReason(record, NOON + 2 * DAY_MS)).toBeUndefined();
    expect(decide(record, NOON + 2 * DAY_MS).do).toBe('rest');
    expect(dueAt(record)).toBe(record.held?.issueAt);
  });

  it('is replaced when what is served comes to the last tenth of its life', () => {
    const record = back();
    // FIRST has thirty days left, and lived ninety.
    expect(record.held?.issueAt).toBe(FIRST.leaf.notAfter - 9 * DAY_MS);
    expect(dueReason(record, (record.held?.issueAt ?? 0) - 1)).toBeUndefined();
    expect(dueReason(record, record.held?.issueAt ?? 0)).toBe('RenewalWindowReached');
  });

  it('is replaced at its own renewal, where that comes sooner', () => {
    const short = { ...SECOND, leaf: { ...SECOND.leaf, notAfter: NOON + 9 * DAY_MS } };
    const record = after(rotated({ current: short }), ROLLED_BACK);
    expect(record.held?.issueAt).toBe(renewAt(record, short));
  });

  it('is not replaced before a repair had a day, however near expiry is', () => {
    const old = version('v1', NOON - 88 * DAY_MS);
    expect(back(rotated({ previous: old })).held?.issueAt).toBe(NOON + DAY_MS);
  });

  it('is replaced at once when the manifest asks for something else, and when a person does', () => {
    const changed = after(back(), {
      event: 'Respecified',
      spec: aSpec({ hooks: [HOOK], dnsNames: ['new.internal.example'] }),
      fields: ['dnsNames'],
    });
    expect(dueReason(changed, NOON)).toBe('SpecChanged');
    expect(dueReason(after(back(), { event: 'RenewalRequested', by: 'me' }), NOON)).toBe('Requested');
  });

  it('is replaced at once when somebody asks for its end, or for that of the one in use', () => {
    expect(dueReason(after(back(), revocationOf(SECOND)), NOON)).toBe('RevocationRequested');
    expect(dueReason(after(back(), revocationOf(FIRST)), NOON)).toBe('RevocationRequested');
  });

  it('is not replaced for the end of the one before it, once it is tried again', () => {
    const tried = after(back(), { event: 'PromotedAgain', version: SECOND.version, ref: 'arn' });
    expect(dueReason(after(tried, revocationOf(FIRST)), NOON)).toBeUndefined();
  });

  it('keeps the mark that it is to be revoked, should it become current all the same', () => {
    const marked = after(back(), revocationOf(SECOND));
    const again = after(marked, { event: 'PromotedAgain', version: SECOND.version, ref: 'arn' });
    expect(again.current?.revocation).toMatchObject({ reason: 'keyCompromise' });
    expect(dueReason(again, NOON)).toBe('RevocationRequested');
  });

  it('of a changed manifest does not count as changed again once the one before serves', () => {
    const former = { ...FIRST, specDigest: 'of an older manifest' };
    expect(dueReason(back(rotated({ previous: former })), NOON)).toBeUndefined();
  });

  it('becomes current again for another try, and is told as rotated', () => {
    const record = after(back(), { event: 'PromotedAgain', version: SECOND.version, ref: 'arn' });
    expect(record).toMatchObject({
      generation: 4,
      current: { version: 'v2' },
      previous: { version: 'v1' },
      rollout: { generation: 4, state: 'underWay' },
      held: { version: { version: 'v2' } },
    });
    expect(record.outbox).toMatchObject([
      {
        type: 'Certificate Rotated',
        detail: {
          generation: 4,
          reason: 'DeploymentRetried',
          store: { ref: 'arn', version: 'v2', previousVersion: 'v1' },
          serialNumber: 'V2',
        },
      },
    ]);
    expect(record.history.at(-1)).toMatchObject({ version: 'v2', cause: 'tried again: DeploymentUndone: no' });
    expect(after(record, { event: 'PromotedAgain', version: SECOND.version, ref: 'arn' })).toEqual(record);
  });

  it('that fails once more is replaced no later for that', () => {
    const first = back();
    const tried = after(first, { event: 'PromotedAgain', version: SECOND.version, ref: 'arn' });
    const later = apply(
      tried,
      { event: 'RolledBack', undone: SECOND.version, cause: 'again' },
      { actor: 'deploy', at: NOON + HOUR_MS },
    );
    expect(later.held).toEqual({ ...first.held, cause: 'again' });
  });

  it('is free again when it is deployed', () => {
    const tried = after(back(), { event: 'PromotedAgain', version: SECOND.version, ref: 'arn' });
    const ended = after(tried, { event: 'DeploymentEnded', outcome: 'deployed', cause: '' });
    expect(ended).not.toHaveProperty('held');
    expect(ended).toMatchObject({ rollout: { state: 'deployed' } });
    expect(ended.history.at(-1)).toMatchObject({ event: 'DeploymentEnded', cause: 'deployed' });
  });

  it('without one before it, or one that is not held, is a bug', () => {
    const { previous: _none, ...alone } = rotated();
    expect(() => after(alone, ROLLED_BACK)).toThrow(/no version before/);
    const stranger: Happening = { event: 'PromotedAgain', version: versionId.parse('v9'), ref: 'arn' };
    expect(() => after(back(), stranger)).toThrow(/not held/);
    expect(() => after(rotated(), stranger)).toThrow(/not held/);
    const { current: _nothing, ...unissued } = back();
    expect(() => after(unissued, { event: 'PromotedAgain', version: SECOND.version, ref: 'arn' })).toThrow(/not held/);
  });

  it('leaves what was never issued, or is not in use any more, as it is', () => {
    const { current: _none, ...unissued } = rotated();
    expect(after(unissued, ROLLED_BACK)).toEqual(unissued);
    const next = rotated({ current: version('v3', NOON) });
    expect(after(next, ROLLED_BACK)).toEqual(next);
  });

  it('whose hooks are gone meanwhile is held, and begins no roll-out', () => {
    const { rollout: _withdrawn, ...plain } = rotated({ spec: aSpec() });
    const record = after(plain, ROLLED_BACK);
    expect(record).toMatchObject({ generation: 3, held: { version: { version: 'v2' } } });
    expect(record).not.toHaveProperty('rollout');
  });
});

describe('a version that was halted', () => {
  const halted = (): CertificateRecord =>
    after(rotated(), { event: 'DeploymentEnded', outcome: 'halted', cause: 'NotServed: it is not' });

  it('stays current, and is held', () => {
    expect(halted()).toMatchObject({
      generation: 2,
      current: { version: 'v2' },
      rollout: { state: 'halted' },
      held: { version: { version: 'v2' }, cause: 'NotServed: it is not' },
    });
    expect(halted().history.at(-1)?.cause).toBe('halted: NotServed: it is not');
    expect(halted().held?.issueAt).toBe(renewAt(halted(), SECOND));
  });

  it('keeps its hold when it ends so again', () => {
    const again = apply(
      halted(),
      { event: 'DeploymentEnded', outcome: 'incomplete', cause: 'other' },
      { actor: 'deploy', at: NOON + HOUR_MS },
    );
    expect(again.held).toEqual(halted().held);
    expect(again.rollout).toMatchObject({ state: 'incomplete', at: NOON + HOUR_MS });
  });

  it('waits for its renewal also where it is the first', () => {
    const { previous: _none, ...first } = halted();
    expect(dueReason(first, NOON)).toBeUndefined();
  });

  it('is not held by a roll-out that was withdrawn meanwhile, nor where nothing was issued', () => {
    const ended: Happening = { event: 'DeploymentEnded', outcome: 'halted', cause: 'NotServed: it is not' };
    const { rollout: _withdrawn, ...plain } = rotated({ spec: aSpec() });
    expect(after(plain, ended)).not.toHaveProperty('held');
    expect(after(plain, ended)).not.toHaveProperty('rollout');
    const { current: _none, ...unissued } = rotated();
    expect(after(unissued, ended)).toMatchObject({ rollout: { state: 'underWay' } });
    expect(after(unissued, ended)).not.toHaveProperty('held');
  });
});

describe('what may come back after the next rotation', () => {
  const promoted = (record: CertificateRecord): CertificateRecord => {
    const attempt: CertificateRecord['attempt'] = {
      phase: 'stored',
      id: attemptId.parse('6a8f1c1e-5b0e-4f6a-9d55-1f4e0a3b2c1d'),
      reason: 'Requested',
      startedAt: NOON,
      specDigest: specDigest(SPEC),
      issuerRef: ISSUER.ref,
      secretName: 'orders-tls',
      dnsNames: [],
      issuedAt: NOON,
      version: versionId.parse('v3'),
      ref: 'arn',
      leaf: aLeaf(),
    };
    return after({ ...record, attempt }, { event: 'VersionPromoted' });
  };
  const inState = (state: NonNullable<CertificateRecord['rollout']>['state']): CertificateRecord =>
    rotated({ rollout: { generation: 2, hooks: [HOOK], state, at: NOON } });

  it.each([
    ['deployed', 'v2'],
    ['incomplete', 'v2'],
    ['rolledBack', 'v2'],
    ['underWay', 'v1'],
    ['halted', 'v1'],
  ] as const)('is the last that was seen to serve: after one that is %s, %s', (state, previous) => {
    expect(promoted(inState(state)).previous?.version).toBe(previous);
  });

  it('is the one in use where none came before it, or no hook deploys it', () => {
    const { previous: _none, ...first } = inState('underWay');
    expect(promoted(first).previous?.version).toBe('v2');
    const { rollout: _never, ...plain } = rotated();
    expect(promoted(plain).previous?.version).toBe('v2');
  });

  it('and a hold is over', () => {
    expect(promoted(back())).not.toHaveProperty('held');
  });
});
