import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CertificateSpec, IssuerSpec } from '../../functions/core/certificate.ts';
import { planManifest } from '../../functions/core/plan.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { specDigest } from '../../functions/core/spec-change.ts';
import { apply, declare } from '../../functions/core/transitions.ts';
import { applyManifest } from '../../functions/sync/apply-manifest.ts';
import { aLeaf, aSpec, id, ISSUER, NOON } from '../support/builders.ts';
import { memoryInventory } from '../support/memory-inventory.ts';

const BY = { actor: 'test', at: NOON };

/** A certificate in use, as its manifest said. */
function issued(spec: CertificateSpec): CertificateRecord {
  const version = { version: 'v1', secretName: spec.secretName, issuerRef: spec.issuerRef, leaf: aLeaf() };
  const current = { ...version, specDigest: specDigest(spec), issuedAt: NOON } as CertificateRecord['current'];
  return { ...declare(spec, BY), generation: 1, ...(current === undefined ? {} : { current }) };
}

const planned = (
  spec: CertificateSpec | undefined,
  record?: CertificateRecord,
  issuers = [ISSUER],
  stored = [ISSUER],
) =>
  planManifest(
    { certificates: spec === undefined ? [] : [spec], issuers },
    { records: record === undefined ? [] : [record], issuers: stored },
  ).map(({ action, because }) => `${action}: ${because.join('; ')}`);

const OTHER_ROLE: IssuerSpec = { ...ISSUER, options: { ...(ISSUER.options as object), role: 'arn' } };
const RETIRED = apply(issued(aSpec()), { event: 'Retired' }, BY);
const BLOCKED = { ...issued(aSpec()), failures: { count: 3, blocked: true } };

describe('a plan says of a certificate', () => {
  it.each<[string, CertificateSpec | undefined, CertificateRecord | undefined, string]>([
    ['that is new', aSpec(), undefined, 'issue: new in the manifest'],
    ['that is as it was', aSpec(), issued(aSpec()), 'leave: unchanged'],
    [
      'that was never issued',
      aSpec(),
      declare(aSpec(), BY),
      'leave: unchanged; its first certificate is still to come',
    ],
    [
      'with other names',
      aSpec({ dnsNames: ['orders.payments.svc', 'new.example'] }),
      issued(aSpec()),
      'reissue: dnsNames: − orders.internal.example, + new.example',
    ],
    [
      'with its names in another order',
      aSpec({ dnsNames: aSpec().dnsNames.toReversed() }),
      issued(aSpec()),
      'leave: unchanged',
    ],
    ['with another duration', aSpec({ durationSeconds: 3_600 }), issued(aSpec()), 'reissue: duration: 2160h → 1h'],
    [
      'with another key',
      aSpec({ privateKey: { algorithm: 'RSA', sizeBits: 3072 } }),
      issued(aSpec()),
      'reissue: privateKey: {"algorithm":"ECDSA","sizeBits":256} → {"algorithm":"RSA","sizeBits":3072}',
    ],
    ['in a further form', aSpec({ outputFormats: ['DER'] }), issued(aSpec()), 'reissue: outputFormats: + DER'],
    [
      'to be renewed at another time',
      aSpec({ renewBefore: { percentage: 25 } }),
      issued(aSpec()),
      'reschedule: renewBefore: none → {"percentage":25}',
    ],
    [
      'changed before it was ever issued',
      aSpec({ commonName: 'a' }),
      declare(aSpec(), BY),
      'issue: commonName: orders.internal.example → a',
    ],
    [
      'changed back to what was issued',
      aSpec(),
      { ...issued(aSpec()), spec: aSpec({ commonName: 'a' }) },
      'reschedule: commonName: a → orders.internal.example',
    ],
    [
      'that is gone',
      undefined,
      issued(aSpec()),
      'retire: no longer in the manifest: its secret stays, and is not renewed',
    ],
    ['that was gone before', undefined, RETIRED, 'leave: retired'],
    ['that is back', aSpec(), RETIRED, 'reinstate: in the manifest again'],
    [
      'that is back and changed',
      aSpec({ commonName: 'a' }),
      RETIRED,
      'reinstate: in the manifest again; commonName: orders.internal.example → a',
    ],
    ['that failed for good', aSpec(), BLOCKED, 'retry: deployed again'],
    ['that is only watched', undefined, { ...issued(aSpec()), origin: 'observed' }, 'leave: only watched'],
  ])('%s', (_, spec, record, expected) => {
    expect(planned(spec, record)).toEqual([expected]);
  });

  it('whose issuer changed: it is looked at again, not re-issued', () => {
    expect(planned(aSpec(), issued(aSpec()), [OTHER_ROLE])).toEqual(['retry: its issuer changed in the manifest']);
  });

  it('whose issuer is new: nothing', () => {
    expect(planned(aSpec(), issued(aSpec()), [ISSUER], [])).toEqual(['leave: unchanged']);
  });
});

describe('a plan', () => {
  const someSpec = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      commonName: fc.constantFrom('x', 'y'),
      percentage: fc.constantFrom(20, 30),
    })
    .map(({ name, commonName, percentage }) =>
      aSpec({ id: id(`default/${name}`), secretName: name, commonName, renewBefore: { percentage } }),
    );
  const someManifest = fc
    .uniqueArray(someSpec, { selector: ({ id }) => id })
    .map((certificates) => ({ certificates, issuers: [ISSUER] }));

  it('is what sync then does, certificate by certificate', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someManifest, { minLength: 2, maxLength: 4 }), async (manifests) => {
        const inventory = memoryInventory();
        for (const manifest of manifests) {
          const records: CertificateRecord[] = [];
          for await (const { value } of inventory.all()) records.push(value);
          const changes = planManifest(manifest, { records, issuers: [ISSUER] });
          const known = new Set<string>(records.map(({ id }) => id));
          const count = (test: (change: (typeof changes)[number]) => boolean) => changes.filter(test).length;
          const report = await applyManifest(inventory, manifest, NOON);
          expect(report).toMatchObject({
            declared: count(({ action, certificate }) => action === 'reinstate' || !known.has(certificate)),
            retired: count(({ action }) => action === 'retire'),
            unchanged: count(({ action }) => action === 'leave'),
          });
        }
      }),
    );
  });
});
