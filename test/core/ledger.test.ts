import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { attemptId, versionId } from '../../functions/core/certificate.ts';
import { dailyOrderCap } from '../../functions/core/cap.ts';
import { decide, dueAt, dueReason } from '../../functions/core/decide.ts';
import { assertLease, claimLease, releaseLease } from '../../functions/core/lease.ts';
import { type CertificateRecord, certificateRecord, HISTORY_LIMIT } from '../../functions/core/record.ts';
import { hookRef } from '../../functions/core/rollout/hook-spec.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, NOON } from '../support/builders.ts';

/** What the world does next: time passes, or somebody wants something, or the next step goes this way or that. */
type Turn =
  | { readonly turn: 'wait'; readonly ms: number }
  | { readonly turn: 'step'; readonly fate: 'works' | 'transient' | 'permanent' | 'unknown' | 'pending' }
  | { readonly turn: 'request' | 'revoke' | 'respecify' | 'retire' | 'reinstate' };

const turns = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ turn: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3 * DAY_MS }) }),
    },
    {
      weight: 12,
      arbitrary: fc.record({
        turn: fc.constant('step' as const),
        fate: fc.constantFrom(
          'works' as const,
          'works' as const,
          'works' as const,
          'transient' as const,
          'permanent' as const,
          'unknown' as const,
          'pending' as const,
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        turn: fc.constantFrom(
          'request' as const,
          'revoke' as const,
          'respecify' as const,
          'retire' as const,
          'reinstate' as const,
        ),
      }),
    },
  ),
  { minLength: 1, maxLength: 120 },
);

/** Somebody asks for a renewal again and again, within hours, and most of what is tried works. */
const hastyTurns = fc.array(
  fc.oneof(
    {
      weight: 1,
      arbitrary: fc.record({
        turn: fc.constant('wait' as const),
        ms: fc.integer({ min: MINUTE_MS, max: 2 * HOUR_MS }),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ turn: 'request' as const }) },
    {
      weight: 8,
      arbitrary: fc.record({
        turn: fc.constant('step' as const),
        fate: fc.oneof(
          { weight: 9, arbitrary: fc.constant('works' as const) },
          { weight: 1, arbitrary: fc.constantFrom('transient' as const, 'unknown' as const, 'pending' as const) },
        ),
      }),
    },
  ),
  { minLength: 100, maxLength: 250 },
);

interface World {
  readonly record: CertificateRecord;
  readonly now: Instant;
}

const START: World = { record: declare(aSpec(), { actor: 'test', at: NOON }), now: NOON };

function play({ record, now }: World, turn: Turn): World {
  const with_ = (happening: Happening): World => ({
    record: apply(record, happening, { actor: 'test', at: now }),
    now,
  });
  switch (turn.turn) {
    case 'wait':
      // Whoever comes later comes under a lease of their own.
      return { record: releaseLease(claimLease(record, 'test', now, 0)), now: now + turn.ms };
    case 'request':
      return with_({ event: 'RenewalRequested', by: 'test' });
    case 'revoke':
      return record.current === undefined
        ? { record, now }
        : with_({ event: 'RevocationRequested', version: record.current.version, reason: 'superseded', by: 'test' });
    case 'respecify':
      return with_({
        event: 'Respecified',
        spec: { ...record.spec, dnsNames: [`n${now}.example`] },
        fields: ['dnsNames'],
      });
    case 'retire':
      return record.retiredAt === undefined ? with_({ event: 'Retired' }) : { record, now };
    case 'reinstate':
      return record.retiredAt === undefined ? { record, now } : with_({ event: 'Reinstated', spec: record.spec });
    case 'step': {
      const happening = consequence(record, now, turn.fate);
      return happening === undefined ? { record, now } : { record: noted(record, happening, now), now };
    }
  }
}

/** A try to give something back, or to revoke, is counted before it is made; whoever is killed in it notes no more. */
function noted(record: CertificateRecord, happening: Happening, at: Instant): CertificateRecord {
  const by = { actor: 'test', at };
  const tryOf = (): Happening | undefined => {
    if (happening.event === 'OrderAbandoned' || happening.event === 'OrderNotAbandoned')
      return { event: 'AbandonTried' };
    if (happening.event === 'Revoked' || happening.event === 'NotRevoked')
      return { event: 'RevocationTried', version: happening.version };
    return undefined;
  };
  const tried = tryOf();
  return apply(tried === undefined ? record : apply(record, tried, by), happening, by);
}

/** A CA whose wish moves at every look. */
const WINDOW = (now: Instant) => ({
  window: { start: now + 30 * DAY_MS, end: now + 31 * DAY_MS },
  checkAt: now + HOUR_MS,
});

/** What a worker would note after doing what is decided, if it went as `fate` says. */
function consequence(
  record: CertificateRecord,
  now: Instant,
  fate: Extract<Turn, { turn: 'step' }>['fate'],
): Happening | undefined {
  const decision = decide(record, now);
  if (decision.do === 'rest') return undefined;
  if (decision.do === 'announce') return { event: 'Announced' };
  if (decision.do === 'startAttempt') {
    return {
      event: 'AttemptStarted',
      attempt: attemptId.parse(randomUUID()),
      reason: decision.reason,
    };
  }
  if (decision.do === 'defer') return { event: 'Deferred', until: decision.until, cause: decision.cause };
  if (decision.do === 'abandonOrder' && fate === 'unknown') return { event: 'AbandonTried' };
  if (decision.do === 'abandonOrder' && fate !== 'works') {
    return { event: 'OrderNotAbandoned', failure: { class: 'transient', code: 'Test', message: 'as planned' } };
  }
  if (decision.do === 'revoke') {
    const { version } = decision.revocation;
    if (fate === 'unknown') return { event: 'RevocationTried', version };
    if (fate === 'works') return { event: 'Revoked', version };
    return { event: 'NotRevoked', version, failure: { class: 'transient', code: 'Test', message: 'as planned' } };
  }
  if (decision.do === 'askRenewalInfo') return { event: 'RenewalInfoLearned', ...WINDOW(now), random: 0.5 };
  if (fate === 'transient' || fate === 'permanent' || fate === 'unknown') {
    return { event: 'AttemptFailed', failure: { class: fate, code: 'Test', message: 'as planned' } };
  }
  switch (decision.do) {
    case 'inspectStore':
      return { event: 'StoreInspected' };
    case 'abandonOrder':
      return { event: 'OrderAbandoned' };
    case 'abandonAttempt':
      return { event: 'AttemptAbandoned', cause: decision.cause };
    case 'intendOrder':
      return { event: 'OrderIntended', csr: 'csr', notAfter: now + 90 * DAY_MS };
    case 'intendAgain':
      return { event: 'OrderIntendedAgain' };
    case 'placeOrder':
      return { event: 'OrderPlaced', ticket: { order: '1' }, checkAt: now + MINUTE_MS };
    case 'checkOrder':
      if (fate === 'pending') return { event: 'OrderPending', ticket: { order: '1' }, checkAt: now + HOUR_MS };
      return {
        event: 'VersionStored',
        version: versionId.parse(`v${record.generation + 1}`),
        ref: 'arn',
        leaf: aLeaf({ notBefore: now - HOUR_MS, notAfter: now + 90 * DAY_MS }),
        ...(record.generation % 2 === 0 ? { offersRenewalInfo: true, leftover: { order: '1' } } : {}),
      };
    case 'promote':
      return { event: 'VersionPromoted' };
    case 'openRollout':
      return { event: 'RolloutOpened', hooks: record.spec.hooks ?? [] };
  }
}

const isAtRest = (record: CertificateRecord, now: Instant): boolean =>
  record.attempt === undefined &&
  record.abandoned === undefined &&
  record.revocations === undefined &&
  dueReason(record, now) === undefined;

/** A world without misfortune from here on. */
function settle(world: World): World {
  let { record, now } = world;
  for (let step = 0; step < 200; step++) {
    const due = dueAt(record);
    if (due === undefined) break;
    const happening = consequence(record, now, 'works');
    if (happening !== undefined) record = noted(record, happening, now);
    else if (isAtRest(record, now)) break;
    else now = Math.max(now + 1, due);
  }
  return { record, now };
}

describe('the ledger', () => {
  it('can be resumed after any history: it converges to a current version for what the manifest says', () => {
    fc.assert(
      fc.property(turns, (history) => {
        const { record } = settle(history.reduce(play, START));
        expect(record.attempt).toBeUndefined();
        expect(record.abandoned).toBeUndefined();
        expect(record.revocations).toBeUndefined();
        expect(record.outbox).toEqual([]);
        if (record.retiredAt === undefined) expect(record.current?.specDigest).toBe(specDigest(record.spec));
      }),
    );
  });

  it('never places an order past the daily cap, however impatient people are', () => {
    const cap = dailyOrderCap(START.record.spec.durationSeconds);
    let met = 0;
    fc.assert(
      fc.property(hastyTurns, (history) => {
        const placed: Instant[] = [];
        let world = START;
        for (const turn of history) {
          const next = play(world, turn);
          const ordered =
            next.record.attempt?.phase === 'orderPlaced' && world.record.attempt?.phase === 'orderIntended';
          if (ordered) placed.push(next.now);
          world = next;
        }
        for (const end of placed) {
          const lastDay = placed.filter((at) => at > end - DAY_MS && at <= end);
          expect(lastDay.length).toBeLessThanOrEqual(cap);
          if (lastDay.length === cap) met += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(met).toBeGreaterThan(100);
  });

  it('keeps a certificate due until its successor is current', () => {
    fc.assert(
      fc.property(turns, (history) => {
        let world = START;
        for (const turn of history) {
          const before = dueReason(world.record, world.now);
          const next = play(world, turn);
          const replaced = next.record.generation > world.record.generation;
          const respecified = next.record.spec !== world.record.spec;
          if (before !== undefined && !replaced && !respecified) expect(dueReason(next.record, next.now)).toBeDefined();
          world = next;
        }
      }),
    );
  });

  it('does nothing between two looks: when nothing is decided, the due index says when to look again', () => {
    fc.assert(
      fc.property(turns, (history) => {
        const { record, now } = history.reduce(play, START);
        const due = dueAt(record);
        if (decide(record, now).do !== 'rest') expect(due).toBeLessThanOrEqual(now);
        else if (due !== undefined) expect(due).toBeGreaterThan(now);
      }),
    );
  });

  it('rests in a table and comes back as it was', () => {
    fc.assert(
      fc.property(turns, (history) => {
        const { record } = history.reduce(play, START);
        const item: unknown = JSON.parse(JSON.stringify(z.encode(certificateRecord, record)));
        expect(z.decode(certificateRecord, item as z.input<typeof certificateRecord>)).toEqual(record);
      }),
    );
  });

  it('rests with its instants as people read them, also where it is only watched', () => {
    const place = { secretName: 'orders-tls', issuerRef: aSpec().issuerRef, specDigest: '' };
    const record: CertificateRecord = {
      ...START.record,
      origin: 'observed',
      current: { ...place, version: versionId.parse('v1'), leaf: aLeaf(), issuedAt: NOON },
      abandoned: [{ issuerRef: aSpec().issuerRef, ticket: {}, tries: 0, tryAt: NOON }],
    };
    expect(z.encode(certificateRecord, record)).toMatchObject({
      origin: 'observed',
      current: { issuedAt: '2026-06-01T12:00:00.000Z', leaf: { notAfter: '2026-08-30T12:00:00.000Z' } },
      abandoned: [{ tryAt: '2026-06-01T12:00:00.000Z' }],
      history: [{ at: '2026-06-01T12:00:00.000Z' }],
    });
  });

  describe('of a version that is to be deployed, and to end', () => {
    const revocation = { reason: 'keyCompromise', requestedAt: NOON, revokedAt: NOON } as const;
    const version = {
      version: versionId.parse('v1'),
      secretName: 'orders-tls',
      issuerRef: aSpec().issuerRef,
      leaf: aLeaf(),
      specDigest: '',
      issuedAt: NOON,
      revocation,
    };
    const owed = { ...version, reason: 'keyCompromise', by: 'a person', tries: 0, tryAt: NOON } as const;
    const { specDigest: _digest, issuedAt: _issued, revocation: _mark, ...revocationOwed } = owed;
    const inState = (state: NonNullable<CertificateRecord['rollout']>['state']): CertificateRecord => ({
      ...START.record,
      current: version,
      rollout: { generation: 1, hooks: [hookRef.parse('payments/orders@0123456789ab')], state, at: NOON },
      held: { version, since: NOON, issueAt: NOON + DAY_MS, cause: 'NotServed: it is not' },
      revocations: [revocationOwed],
    });

    it.each(['underWay', 'deployed', 'rolledBack', 'halted', 'incomplete'] as const)(
      'rests in a table and comes back as it was: %s',
      (state) => {
        const item: unknown = JSON.parse(JSON.stringify(z.encode(certificateRecord, inState(state))));
        expect(z.decode(certificateRecord, item as z.input<typeof certificateRecord>)).toEqual(inState(state));
      },
    );

    it('rests with its instants as people read them', () => {
      const noon = '2026-06-01T12:00:00.000Z';
      expect(z.encode(certificateRecord, inState('halted'))).toMatchObject({
        current: { revocation: { requestedAt: noon, revokedAt: noon } },
        rollout: { at: noon },
        held: { since: noon, issueAt: '2026-06-02T12:00:00.000Z', version: { issuedAt: noon } },
        revocations: [{ tryAt: noon, leaf: { notBefore: noon } }],
      });
    });
  });

  it('records who, why and when for every transition, and keeps the last fifty', () => {
    fc.assert(
      fc.property(turns, (history) => {
        const { record } = history.reduce(play, START);
        expect(record.history.length).toBeLessThanOrEqual(HISTORY_LIMIT);
        for (const { actor, event, cause, at } of record.history) {
          expect([actor, event, cause].every((text) => text.length > 0)).toBe(true);
          expect(at).toBeGreaterThanOrEqual(NOON);
        }
      }),
    );
  });

  it('refuses a step that its phase does not allow', () => {
    expect(() => apply(START.record, { event: 'VersionPromoted' }, { actor: 'test', at: NOON })).toThrow(
      /illegal transition/,
    );
  });
});

describe('what is owed for an order', () => {
  const owing = (tickets: readonly string[]): CertificateRecord => ({
    ...START.record,
    abandoned: tickets.map((order) => ({ issuerRef: aSpec().issuerRef, ticket: { order }, tries: 0, tryAt: NOON })),
  });
  const failure = { class: 'permanent', code: 'AccessDenied', message: 'no' } as const;

  it('is tried no sooner for a worker that died in the try, and the renewal goes on', () => {
    const tried = apply(owing(['1']), { event: 'AbandonTried' }, { actor: 'test', at: NOON });
    expect(tried.abandoned).toMatchObject([{ tries: 1, tryAt: NOON + MINUTE_MS }]);
    expect(decide(tried, NOON).do).toBe('inspectStore');
    expect(decide(tried, NOON + MINUTE_MS).do).toBe('abandonOrder');
  });

  it('is looked at daily for four weeks, leaves one line in the trail, and is let go then', () => {
    let record = owing(['1']);
    let [now, tries] = [NOON, 0];
    for (; record.abandoned !== undefined; tries++) {
      now = record.abandoned[0]?.tryAt ?? now;
      record = noted(record, { event: 'OrderNotAbandoned', failure }, now);
    }
    expect(Math.round((now - NOON) / DAY_MS)).toBe(29);
    expect(tries).toBe(33);
    expect(record.history.filter(({ event }) => event === 'OrderNotAbandoned')).toHaveLength(1);
  });

  it('takes turns', () => {
    const record = noted(owing(['1', '2']), { event: 'OrderNotAbandoned', failure }, NOON);
    expect(record.abandoned?.map(({ ticket }) => ticket['order'])).toEqual(['2', '1']);
    expect(noted(record, { event: 'OrderAbandoned' }, NOON).abandoned).toMatchObject([{ ticket: { order: '1' } }]);
  });

  it('fits into a record: the oldest is let go', () => {
    const large = (order: string) => ({ order, state: 'x'.repeat(80_000) });
    let record = START.record;
    for (const order of ['1', '2', '3']) record = owed(record, large(order));
    expect(record.abandoned?.map(({ ticket }) => ticket['order'])).toEqual(['3']);
  });
});

/** An order of the CA's that was given up. */
function owed(record: CertificateRecord, ticket: Readonly<Record<string, string>>): CertificateRecord {
  const by = { actor: 'test', at: NOON };
  const attempt = attemptId.parse(randomUUID());
  const happenings: readonly Happening[] = [
    { event: 'AttemptStarted', attempt, reason: 'NotIssued' },
    { event: 'OrderIntended', csr: 'csr', notAfter: NOON + DAY_MS },
    { event: 'OrderPlaced', ticket, checkAt: NOON },
    { event: 'AttemptAbandoned', cause: 'SpecChanged' },
  ];
  return happenings.reduce((state, happening) => apply(state, happening, by), record);
}

describe('the CA’s patience', () => {
  const by = { actor: 'test', at: NOON };
  const patient: CertificateRecord = { ...START.record, retryAfter: NOON + DAY_MS };
  const spec = { ...patient.spec, dnsNames: ['other.example'] };

  it('is kept when the manifest changes', () => {
    const respecified = apply(patient, { event: 'Respecified', spec, fields: ['dnsNames'] }, by);
    expect(respecified.retryAfter).toBe(NOON + DAY_MS);
  });

  it('is nothing to another CA', () => {
    const elsewhere = { ...spec, issuerRef: { ...spec.issuerRef, name: 'another' } };
    expect(apply(patient, { event: 'Respecified', spec: elsewhere, fields: ['issuerRef'] }, by).retryAfter).toBe(
      undefined,
    );
    expect(apply({ ...patient, retiredAt: NOON }, { event: 'Reinstated', spec: elsewhere }, by).retryAfter).toBe(
      undefined,
    );
  });
});

describe('the lease', () => {
  it('is refused while it runs and granted with a greater token afterwards', () => {
    const first = claimLease(START.record, 'one', NOON, MINUTE_MS);
    expect(() => claimLease(first, 'two', NOON + MINUTE_MS - 1, MINUTE_MS)).toThrow(/being worked on by one/);
    expect(claimLease(first, 'two', NOON + MINUTE_MS, MINUTE_MS).lease.token).toBe(2);
    expect(claimLease(releaseLease(first), 'two', NOON + 1, MINUTE_MS).lease.token).toBe(2);
  });

  it.each<[string, CertificateRecord['lease']]>([
    ['was taken over', { owner: 'two', token: 2, expiresAt: NOON }],
    ['was taken over by the same worker, later', { owner: 'one', token: 2, expiresAt: NOON }],
    ['has the number of another’s', { owner: 'two', token: 1, expiresAt: NOON }],
    ['is not there', undefined],
  ])('is lost to a worker when it %s', (_how, lease) => {
    const mine = claimLease(START.record, 'one', NOON, MINUTE_MS).lease;
    const record = { ...START.record, ...(lease === undefined ? {} : { lease }) };
    expect(() => assertLease(record, mine)).toThrow('payments/orders: the lease ran out and another worker took over');
    expect(() => assertLease({ ...record, lease: { ...mine, expiresAt: 0 } }, mine)).not.toThrow();
  });

  it('keeps a certificate out of the due index while it runs', () => {
    const leased = claimLease(START.record, 'one', NOON, MINUTE_MS);
    expect(dueAt(START.record)).toBe(NOON);
    expect(dueAt(leased)).toBe(NOON + MINUTE_MS);
    expect(dueAt(releaseLease(leased))).toBe(NOON);
  });
});
