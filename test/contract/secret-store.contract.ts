import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type AttemptId,
  attemptId,
  type VerifiedChain,
  type VersionId,
  versionId,
} from '../../functions/core/certificate.ts';
import type { Provenance, SecretSlot, SecretStore, VersionSwitch } from '../../functions/core/ports.ts';
import { DAY_MS, SECOND_MS } from '../../functions/core/time.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { aSpec, id, ISSUER, NOON } from '../support/builders.ts';
import { TestCa } from '../support/test-ca.ts';

export interface StoreUnderTest {
  readonly store: SecretStore;
  /** Over the same secrets. */
  readonly versions: VersionSwitch;
  /** Writes a version that is none of ours over the current one. */
  readonly overwriteByStranger: (slot: SecretSlot) => Promise<void>;
}

const CA = await TestCa.create('contract', NOON);
export const newAttempt = (): AttemptId => attemptId.parse(randomUUID());
export const newSlot = (): SecretSlot => ({
  certificate: id(`contract/${randomUUID()}`),
  secretName: `s-${randomUUID()}-tls`,
});
export const makeKey = () => generateKey({ algorithm: 'ECDSA', sizeBits: 256 });

/** Stages a key, has it signed, commits the bundle: a version ready to be promoted. */
export async function prepare(
  store: SecretStore,
  slot: SecretSlot,
  generation = 1,
): Promise<{ version: VersionId; attempt: AttemptId }> {
  const attempt = newAttempt();
  const chain = await signedFor(store, slot, attempt);
  const { version } = await store.commit(slot, chain, provenance(slot, attempt, chain.leaf, generation));
  return { version, attempt };
}

/** What the CA answers to a key that was staged for this attempt. */
export async function signedFor(store: SecretStore, slot: SecretSlot, attempt: AttemptId): Promise<VerifiedChain> {
  const key = await store.stageKey(slot, attempt, makeKey);
  return CA.sign(await buildCsr(aSpec({ id: slot.certificate }), key), NOON, NOON + 90 * DAY_MS);
}

export function provenance(slot: SecretSlot, attempt: AttemptId, leafPem: string, generation: number): Provenance {
  const { serialNumber, sha256Fingerprint, notBefore, notAfter } = readCertificate(leafPem);
  return {
    certificate: slot.certificate,
    attempt,
    generation,
    issuerRef: ISSUER.ref,
    specDigest: 'digest',
    issuedAt: NOON,
    leaf: { serialNumber, sha256Fingerprint, notBefore, notAfter },
  };
}

/** The duties of every SecretStore. */
export function secretStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`secret store: ${name}`, () => {
    it('knows nothing of a certificate that was never issued', async () => {
      const { store } = await make();
      expect(await store.current(newSlot())).toBeUndefined();
    });

    it('shows consumers no bundle while only a key is staged', async () => {
      const { store } = await make();
      const slot = newSlot();
      await store.stageKey(slot, newAttempt(), makeKey);
      expect(await store.current(slot)).toBeUndefined();
    });

    it('gives the first key staged for an attempt to everybody who asks again', async () => {
      const { store } = await make();
      const slot = newSlot();
      const attempt = newAttempt();
      const first = await store.stageKey(slot, attempt, makeKey);
      const again = await store.stageKey(slot, attempt, makeKey);
      expect(again.publicKey.equals(first.publicKey)).toBe(true);
    });

    it('gives one key to two that stage one for the same attempt at once', async () => {
      const { store } = await make();
      const slot = newSlot();
      await store.stageKey(slot, newAttempt(), makeKey);
      const attempt = newAttempt();
      const both = await Promise.all([1, 2].map(() => store.stageKey(slot, attempt, makeKey)));
      const { publicKey } = await store.stageKey(slot, attempt, makeKey);
      expect(both.map((key) => key.publicKey.equals(publicKey))).toEqual([true, true]);
    });

    it('gives another attempt another key', async () => {
      const { store } = await make();
      const slot = newSlot();
      const first = await store.stageKey(slot, newAttempt(), makeKey);
      const second = await store.stageKey(slot, newAttempt(), makeKey);
      expect(second.publicKey.equals(first.publicKey)).toBe(false);
    });

    it('keeps a committed version from consumers until it is promoted', async () => {
      const { store } = await make();
      const slot = newSlot();
      const { version } = await prepare(store, slot);
      expect(await store.current(slot)).toBeUndefined();
      await store.promote(slot, version, undefined);
      expect(await store.current(slot)).toMatchObject({
        version,
        provenance: { certificate: slot.certificate, generation: 1 },
      });
    });

    it('gives one version to one commit, however often it is repeated', async () => {
      const { store } = await make();
      const slot = newSlot();
      const attempt = newAttempt();
      const key = await store.stageKey(slot, attempt, makeKey);
      const chain = await CA.sign(await buildCsr(aSpec(), key), NOON, NOON + 90 * DAY_MS);
      const facts = provenance(slot, attempt, chain.leaf, 1);
      const first = await store.commit(slot, chain, facts);
      expect(await store.commit(slot, chain, facts)).toEqual(first);
    });

    it('refuses a leaf for another key than the one staged', async () => {
      const { store } = await make();
      const slot = newSlot();
      const attempt = newAttempt();
      await store.stageKey(slot, attempt, makeKey);
      const other = await store.stageKey(slot, newAttempt(), makeKey);
      const chain = await CA.sign(await buildCsr(aSpec(), other), NOON, NOON + 90 * DAY_MS);
      const commit = store.commit(slot, chain, provenance(slot, attempt, chain.leaf, 1));
      await expect(commit).rejects.toMatchObject({ class: 'permanent', code: 'KeyMismatch' });
    });

    it('still has the leaf of a version that was replaced, and of no other', async () => {
      const { store } = await make();
      const slot = newSlot();
      const first = await prepare(store, slot, 1);
      await store.promote(slot, first.version, undefined);
      const { provenance: facts } = (await store.current(slot)) ?? {};
      const second = await prepare(store, slot, 2);
      await store.promote(slot, second.version, first.version);
      const leaf = readCertificate(await store.leaf(slot, first.version));
      expect(leaf.serialNumber).toBe(facts?.leaf.serialNumber);
      const unknown = versionId.parse('0'.repeat(64));
      await expect(store.leaf(slot, unknown)).rejects.toMatchObject({ code: 'StoredVersionLost', class: 'permanent' });
    });

    it('replaces the current version by the next', async () => {
      const { store } = await make();
      const slot = newSlot();
      const first = await prepare(store, slot, 1);
      await store.promote(slot, first.version, undefined);
      const second = await prepare(store, slot, 2);
      expect((await store.current(slot))?.version).toBe(first.version);
      await store.promote(slot, second.version, first.version);
      expect((await store.current(slot))?.version).toBe(second.version);
    });

    it('takes a repeated promotion for done', async () => {
      const { store } = await make();
      const slot = newSlot();
      const { version } = await prepare(store, slot);
      await store.promote(slot, version, undefined);
      await store.promote(slot, version, undefined);
      expect((await store.current(slot))?.version).toBe(version);
    });

    it('refuses to replace a version that is no longer current, and says it moved', async () => {
      const { store } = await make();
      const slot = newSlot();
      const first = await prepare(store, slot, 1);
      await store.promote(slot, first.version, undefined);
      const second = await prepare(store, slot, 2);
      await store.promote(slot, second.version, first.version);
      const third = await prepare(store, slot, 3);
      await expect(store.promote(slot, third.version, first.version)).rejects.toMatchObject({
        class: 'conflict',
        code: 'CurrentMoved',
      });
      expect((await store.current(slot))?.version).toBe(second.version);
    });

    it('never writes over what a stranger made current', async () => {
      const { store, overwriteByStranger } = await make();
      const slot = newSlot();
      const first = await prepare(store, slot, 1);
      await store.promote(slot, first.version, undefined);
      const second = await prepare(store, slot, 2);
      await overwriteByStranger(slot);
      await expect(store.promote(slot, second.version, first.version)).rejects.toMatchObject({
        class: 'permanent',
        code: 'SecretChangedElsewhere',
      });
      expect(await store.current(slot)).toBeUndefined();
    });

    it('answers of any version everything but its key', async () => {
      const { store } = await make();
      const slot = newSlot();
      const first = await prepare(store, slot, 1);
      await store.promote(slot, first.version, undefined);
      const second = await prepare(store, slot, 2);
      await store.promote(slot, second.version, first.version);
      for (const { version } of [first, second]) {
        const parts = await store.publicParts(slot, version);
        expect(JSON.stringify(parts)).not.toMatch(/PRIVATE KEY/);
        expect(parts.ref).not.toBe('');
        const anchors = parts.trustAnchors.map((pem) => readCertificate(pem).x509);
        expect(anchors.some(({ subject }) => subject.includes('contract'))).toBe(true);
        const issuers = parts.intermediates.map((pem) => readCertificate(pem).x509);
        const [issuer] = [...issuers, ...anchors];
        if (issuer === undefined) throw new Error('no issuer');
        expect(readCertificate(parts.leaf).x509.verify(issuer.publicKey)).toBe(true);
        expect(readCertificate(parts.leaf).dnsNames).toEqual(aSpec().dnsNames);
      }
    });

    it('switches what consumers read back and forth, and takes a repeated switch for done', async () => {
      const { store, versions } = await make();
      const slot = newSlot();
      const first = await prepare(store, slot, 1);
      await store.promote(slot, first.version, undefined);
      const second = await prepare(store, slot, 2);
      await store.promote(slot, second.version, first.version);
      for (let times = 0; times < 2; times++) await versions.switchTo(slot, first.version, second.version);
      expect((await store.current(slot))?.version).toBe(first.version);
      await versions.switchTo(slot, second.version, first.version);
      expect((await store.current(slot))?.version).toBe(second.version);
    });

    it('switches nothing when another version is current than the one named, ours or a stranger’s', async () => {
      const { store, versions, overwriteByStranger } = await make();
      const slot = newSlot();
      const made: VersionId[] = [];
      for (const generation of [1, 2, 3]) {
        const { version } = await prepare(store, slot, generation);
        await store.promote(slot, version, made.at(-1));
        made.push(version);
      }
      const [first, second] = made;
      if (first === undefined || second === undefined) throw new Error('nothing was made');
      await expect(versions.switchTo(slot, first, second)).rejects.toMatchObject({ code: 'CurrentMoved' });
      expect((await store.current(slot))?.version).toBe(made[2]);
      await overwriteByStranger(slot);
      await expect(versions.switchTo(slot, second, made[2] ?? second)).rejects.toMatchObject({ class: 'conflict' });
    });

    it('takes back what is pending, as often as asked', async () => {
      const { store } = await make();
      const slot = newSlot();
      const first = await prepare(store, slot, 1);
      await store.promote(slot, first.version, undefined);
      await prepare(store, slot, 2);
      await store.discard(slot);
      await store.discard(slot);
      expect((await store.current(slot))?.version).toBe(first.version);
    });

    it(
      'hands out a key that signs for its public half and shows nothing of its private one',
      async () => {
        const { store } = await make();
        const key = await store.stageKey(newSlot(), newAttempt(), makeKey);
        expect(await buildCsr(aSpec(), key)).toContain('CERTIFICATE REQUEST');
        expect(JSON.stringify(key)).not.toContain('PRIVATE');
      },
      30 * SECOND_MS,
    );
  });
}
