import { describe, expect, it } from 'vitest';
import { versionId } from '../../functions/core/certificate.ts';
import { type CertificateRecord, versionInUse } from '../../functions/core/record.ts';
import { apply, declare } from '../../functions/core/transitions.ts';
import { awaitIssuance } from '../../functions/ready/await-issuance.ts';
import { aLeaf, aSpec, id, ISSUER, NOON } from '../support/builders.ts';

const NAME = id('payments/orders');
const by = { actor: 'test', at: NOON };
const declared = declare(aSpec(), by);

const issued: CertificateRecord = {
  ...declared,
  generation: 3,
  current: versionInUse(
    {
      version: versionId.parse('v3'),
      secretName: 'orders-tls',
      issuerRef: ISSUER.ref,
      leaf: aLeaf(),
      specDigest: 'd',
      issuedAt: NOON,
    },
    NOON,
  ),
};

const failed = (blocked: boolean): CertificateRecord => ({
  ...declared,
  failures: { count: 1, blocked, last: { class: 'transient', code: 'Throttled', message: 'too many', at: NOON } },
});

/** Looks that find these records, the last of them for ever; each pause moves the clock. */
async function waiting(records: readonly (CertificateRecord | undefined)[], seconds = 60) {
  let now = NOON;
  let looks = 0;
  const outcome = awaitIssuance(NAME, NOON + seconds * 1_000, {
    inventory: {
      read: async () => {
        const value = records[Math.min(looks++, records.length - 1)];
        return value === undefined ? undefined : { value, revision: 1 };
      },
    },
    clock: () => now,
    pause: async (pause) => void (now += pause * 1_000),
  });
  const result = await outcome.catch((error: unknown) => error);
  return { result, looks };
}

describe('waiting for the first issuance', () => {
  it('ends with the version in use, at the first look where there is one', async () => {
    expect(await waiting([issued])).toEqual({ result: { version: 'v3', generation: 3 }, looks: 1 });
  });

  it('goes on over failures that pass, and over an inventory that does not know it yet', async () => {
    const { result, looks } = await waiting([undefined, declared, failed(false), issued]);
    expect([result, looks]).toEqual([{ version: 'v3', generation: 3 }, 4]);
  });

  it('ends with the last failure when the time is over, after a look at its very end', async () => {
    const { result, looks } = await waiting([failed(false)], 60);
    expect(result).toMatchObject({ code: 'NotIssuedInTime' });
    expect(String(result)).toContain('payments/orders was not issued in time; the last failure: Throttled: too many');
    expect(looks).toBe(13);
  });

  it('ends at once when nobody but a person can help', async () => {
    expect(await waiting([failed(true)])).toMatchObject({ result: { code: 'IssuanceBlocked' }, looks: 1 });
  });

  it('ends at once for what is no longer in the manifest', async () => {
    const retired = apply(declared, { event: 'Retired' }, by);
    expect(await waiting([retired])).toMatchObject({ result: { code: 'CertificateRetired' }, looks: 1 });
  });

  it('of a certificate that is blocked and in use all the same is over', async () => {
    const { result } = await waiting([{ ...issued, failures: failed(true).failures }]);
    expect(result).toMatchObject({ version: 'v3' });
  });
});
