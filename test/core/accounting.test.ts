import { describe, expect, it } from 'vitest';
import { attemptId } from '../../functions/core/certificate.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import { aSpec, NOON } from '../support/builders.ts';

const after = (record: CertificateRecord, ...happenings: readonly Happening[]): CertificateRecord =>
  happenings.reduce((state, happening) => apply(state, happening, { actor: 'test', at: NOON }), record);

const INTENDED = after(
  declare(aSpec(), { actor: 'test', at: NOON }),
  { event: 'StoreInspected' },
  { event: 'AttemptStarted', attempt: attemptId.parse('6a8f1c1e-5b0e-4f6a-9d55-1f4e0a3b2c1d'), reason: 'NotIssued' },
  { event: 'OrderIntended', csr: 'csr', notAfter: NOON },
);

describe('a call to the CA that failed', () => {
  it.each([
    ['may have ordered something: it stays on the account', true, 1],
    ['ordered nothing: it comes off the account', false, 0],
  ])('and %s; another try is another call either way', (_what, mayHaveActed, orders) => {
    const failure = { class: 'transient', code: 'X', message: 'y', mayHaveActed } as const;
    const failed = after(INTENDED, { event: 'AttemptFailed', failure });
    expect(failed.orders).toHaveLength(orders);
    expect(failed.attempt).toMatchObject({ phase: 'orderIntended', accountedUnder: -1 });
  });
});
