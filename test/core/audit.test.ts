import { describe, expect, it } from 'vitest';
import type { AttemptId } from '../../functions/core/certificate.ts';
import { attemptId, versionId } from '../../functions/core/certificate.ts';
import { type CertificateRecord, HISTORY_LIMIT } from '../../functions/core/record.ts';
import { DAY_MS, HOUR_MS } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import { aLeaf, aSpec, ISSUER, NOON } from '../support/builders.ts';

const BY = { actor: 'test', at: NOON };
const SPEC = aSpec();
const ATTEMPT: AttemptId = attemptId.parse('6a8f1c1e-5b0e-4f6a-9d55-1f4e0a3b2c1d');
const [FIRST, SECOND] = [versionId.parse('v1'), versionId.parse('v2')];
const DECLARED = declare(SPEC, BY);
const FAILURE = { class: 'transient', code: 'Unreachable', message: 'no answer' } as const;
const WINDOW = { start: NOON + DAY_MS, end: NOON + 2 * DAY_MS };

const after = (record: CertificateRecord, ...happenings: readonly Happening[]): CertificateRecord =>
  happenings.reduce((state, happening) => apply(state, happening, BY), record);

const STARTED: Happening = { event: 'AttemptStarted', attempt: ATTEMPT, reason: 'Requested' };
const INTENDED: Happening = { event: 'OrderIntended', csr: 'csr', notAfter: NOON + 90 * DAY_MS };
const PLACED: Happening = { event: 'OrderPlaced', ticket: { order: '1' }, checkAt: NOON };
const STORED: Happening = { event: 'VersionStored', version: SECOND, ref: 'arn', leaf: aLeaf() };

const inUse = { secretName: SPEC.secretName, issuerRef: ISSUER.ref, leaf: aLeaf(), specDigest: '', issuedAt: NOON };
const ISSUED: CertificateRecord = {
  ...DECLARED,
  current: { ...inUse, version: FIRST, renewalInfo: { checkAt: NOON } },
};
const OWING = after(ISSUED, STARTED, INTENDED, PLACED, { event: 'AttemptAbandoned', cause: 'SpecChanged' });

const REQUESTED = { event: 'RevocationRequested', version: FIRST, reason: 'superseded', by: 'a person' } as const;
const TRIED: Happening = { event: 'RevocationTried', version: FIRST };
const REVOKING = after(ISSUED, REQUESTED, TRIED);

const trail = ({ history }: CertificateRecord): readonly string[] => history.map(({ event }) => event);

describe('the trail says why', () => {
  const learned = (window?: object): Happening =>
    ({ event: 'RenewalInfoLearned', window, random: 0, checkAt: NOON }) as Happening;

  it.each<[CertificateRecord, Happening, string]>([
    [
      ISSUED,
      { event: 'Respecified', spec: SPEC, fields: ['dnsNames', 'uris'] },
      'changed in the manifest: dnsNames, uris',
    ],
    [ISSUED, { event: 'Retired' }, 'removed from the manifest'],
    [ISSUED, { event: 'Reinstated', spec: SPEC }, 'in the manifest again'],
    [ISSUED, { event: 'Reconsidered', cause: 'deployed again' }, 'deployed again'],
    [ISSUED, { event: 'RenewalRequested', by: 'a person' }, 'requested by a person'],
    [DECLARED, { event: 'StoreInspected' }, 'nothing to adopt'],
    [ISSUED, { event: 'AttemptFailed', failure: FAILURE }, 'Unreachable: no answer'],
    [OWING, { event: 'OrderNotAbandoned', failure: FAILURE }, 'Unreachable: no answer'],
    [OWING, { event: 'OrderAbandoned' }, 'what it held was freed'],
    [ISSUED, { event: 'Deferred', until: NOON, cause: 'CircuitOpen' }, 'CircuitOpen'],
    [ISSUED, STARTED, 'Requested'],
    [after(ISSUED, STARTED), INTENDED, 'Requested'],
    [after(ISSUED, STARTED, INTENDED), { event: 'OrderIntendedAgain' }, 'an earlier call may have been made'],
    [after(ISSUED, STARTED), { event: 'AttemptAbandoned', cause: 'TooOld' }, 'TooOld'],
    [ISSUED, REQUESTED, 'superseded, requested by a person'],
    [REVOKING, { event: 'Revoked', version: FIRST }, 'superseded'],
    [REVOKING, { event: 'NotRevoked', version: FIRST, failure: FAILURE }, 'Unreachable: no answer'],
    [ISSUED, learned(WINDOW), 'the CA suggests 2026-06-02T12:00:00.000Z to 2026-06-03T12:00:00.000Z'],
    [
      ISSUED,
      learned({ ...WINDOW, explanationUrl: 'https://ca.example/why' }),
      'the CA suggests 2026-06-02T12:00:00.000Z to 2026-06-03T12:00:00.000Z (https://ca.example/why)',
    ],
  ])('%#: $1.event', (record, happening, cause) => {
    const { history } = apply(record, happening, { actor: 'somebody', at: NOON + HOUR_MS });
    expect(history.slice(0, -1)).toEqual(record.history);
    expect(history.at(-1)).toMatchObject({ at: NOON + HOUR_MS, actor: 'somebody', event: happening.event, cause });
  });
});

describe('the trail says of what', () => {
  it('reason, of two that are to be revoked the one that is', () => {
    const former = { ...inUse, version: SECOND };
    const owing = after({ ...ISSUED, previous: former }, REQUESTED, {
      ...REQUESTED,
      version: SECOND,
      reason: 'keyCompromise',
    });
    expect(after(owing, { event: 'Revoked', version: SECOND }).history.at(-1)).toMatchObject({
      version: SECOND,
      cause: 'keyCompromise',
    });
  });

  it('attempt and version, from the start of the one and the making of the other', () => {
    const { history } = after(DECLARED, STARTED, INTENDED, PLACED, STORED, { event: 'VersionPromoted' });
    const line = { at: NOON, actor: 'test', cause: 'Requested', attempt: ATTEMPT };
    expect(history).toStrictEqual([
      { at: NOON, actor: 'test', event: 'Declared', cause: 'in the manifest' },
      { ...line, event: 'AttemptStarted' },
      { ...line, event: 'OrderIntended' },
      { ...line, event: 'OrderPlaced' },
      { ...line, event: 'VersionStored', version: SECOND },
      { ...line, event: 'VersionPromoted', version: SECOND },
    ]);
  });

  it('but no version where nothing became of one', () => {
    const record = after(DECLARED, STARTED, INTENDED, PLACED, STORED, { event: 'AttemptFailed', failure: FAILURE });
    expect(record.history.at(-1)).toStrictEqual({
      at: NOON,
      actor: 'test',
      event: 'AttemptFailed',
      cause: 'Unreachable: no answer',
      attempt: ATTEMPT,
    });
  });

  it('the version that was adopted', () => {
    const found = { version: { ...inUse, version: FIRST }, generation: 3 };
    expect(after(DECLARED, { event: 'StoreInspected', found }).history.at(-1)).toStrictEqual({
      at: NOON,
      actor: 'test',
      event: 'StoreInspected',
      cause: 'adopted from the secret store',
      version: FIRST,
    });
  });

  it.each<[CertificateRecord, Happening]>([
    [ISSUED, REQUESTED],
    [REVOKING, { event: 'Revoked', version: FIRST }],
    [REVOKING, { event: 'NotRevoked', version: FIRST, failure: FAILURE }],
  ])('the version that is to be revoked: %#: $1.event', (record, happening) => {
    expect(after(record, happening).history.at(-1)).toMatchObject({ event: happening.event, version: FIRST });
  });
});

describe('the trail keeps silent', () => {
  it('about further looks at one order, about tries, and about telling', () => {
    const pending: Happening = { event: 'OrderPending', ticket: { order: '1' }, checkAt: NOON };
    const record = after(ISSUED, STARTED, INTENDED, PLACED);
    expect(after(record, pending, { event: 'Announced' }).history).toEqual(record.history);
    expect(after(OWING, { event: 'AbandonTried' }).history).toEqual(OWING.history);
    expect(after(REVOKING, TRIED).history).toEqual(REVOKING.history);
  });

  it('about waiting on, until something else happened', () => {
    const deferred: Happening = { event: 'Deferred', until: NOON, cause: 'CircuitOpen' };
    const record = after(ISSUED, deferred, deferred, { event: 'Reconsidered', cause: 'deployed again' }, deferred);
    expect(trail(record)).toEqual(['Declared', 'Deferred', 'Reconsidered', 'Deferred']);
  });

  it.each<[string, { start: number; end: number } | undefined, number]>([
    ['that stands', WINDOW, 1],
    ['that is not there', undefined, 1],
    ['that begins later', { ...WINDOW, start: WINDOW.start + 1 }, 2],
    ['that ends later', { ...WINDOW, end: WINDOW.end + 1 }, 2],
  ])('about a wish of the CA’s %s', (_what, window, lines) => {
    const first: Happening = { event: 'RenewalInfoLearned', window: WINDOW, random: 0, checkAt: NOON };
    const record = after(ISSUED, first, { ...first, window });
    expect(trail(record).filter((event) => event === 'RenewalInfoLearned')).toHaveLength(lines);
  });

  it('about the beginning, when it has grown to its limit', () => {
    const happenings = Array.from({ length: HISTORY_LIMIT + 1 }, (_, number): Happening => ({
      event: 'Reconsidered',
      cause: String(number),
    }));
    const causes = after(ISSUED, ...happenings).history.map(({ cause }) => cause);
    expect(causes).toHaveLength(HISTORY_LIMIT);
    expect([causes[0], causes.at(-1)]).toEqual(['1', '50']);
  });
});
