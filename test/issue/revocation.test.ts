import { describe, expect, it } from 'vitest';
import { issuerIdOf } from '../../functions/core/certificate.ts';
import { PermanentError, TransientError } from '../../functions/core/errors.ts';
import type { Revocation } from '../../functions/core/ports.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';
import type { RenewalParts } from '../../functions/issue/parts.ts';
import { ISSUER } from '../support/builders.ts';
import { interrupted, Killed } from '../support/interruptions.ts';
import { type Workshop, workshop } from '../support/workshop.ts';

/** A CA that revokes, and remembers what. */
function revoking(shop: Workshop, answer: () => void = () => {}): { parts: RenewalParts; revoked: string[] } {
  const revoked: string[] = [];
  const revoke = async ({ certificate }: Revocation): Promise<void> => {
    answer();
    revoked.push(readCertificate(certificate).serialNumber);
  };
  const connect: RenewalParts['connect'] = async (spec) => {
    const connected = await shop.parts.connect(spec);
    const { issuer } = connected;
    const ca = {
      start: issuer.start.bind(issuer),
      check: issuer.check.bind(issuer),
      abandon: issuer.abandon.bind(issuer),
      revoke,
    };
    return { ...connected, issuer: ca };
  };
  return { parts: { ...shop.parts, connect }, revoked };
}

async function asked(): Promise<{ shop: Workshop; old: string }> {
  const shop = await workshop();
  await shop.work();
  const { current } = await shop.record();
  if (current === undefined) throw new Error('nothing was issued');
  const { version } = current;
  await shop.happens({ event: 'RevocationRequested', version, reason: 'keyCompromise', by: 'alice' });
  return { shop, old: current.leaf.serialNumber };
}

describe('a revocation', () => {
  it('comes after the successor is current, and is told after it', async () => {
    const { shop, old } = await asked();
    let servedThen: string | undefined;
    const { parts, revoked } = revoking(shop, () => (servedThen = shop.servedSerial()));
    await shop.work(parts);
    const { current, previous, revocations } = await shop.record();
    expect(revoked).toEqual([old]);
    expect(servedThen).toBe(current?.leaf.serialNumber);
    expect(servedThen).not.toBe(old);
    expect(revocations).toBeUndefined();
    expect(previous?.revocation?.revokedAt).toBeDefined();
    expect(shop.published.slice(1).map(({ type }) => type)).toEqual(['Certificate Rotated', 'Certificate Revoked']);
    expect(shop.published[1]).toMatchObject({ detail: { reason: 'RevocationRequested' } });
  });

  it('does not come before the CA has given a successor, however often that fails', async () => {
    const { shop } = await asked();
    const { parts, revoked } = revoking(shop);
    const broken: RenewalParts = {
      ...parts,
      connect: async (spec) => {
        const connected = await parts.connect(spec);
        const start = (): Promise<never> => Promise.reject(new PermanentError('CaNotActive', 'it is DISABLED'));
        return { ...connected, issuer: { ...connected.issuer, start } };
      },
    };
    await shop.tick(120, broken);
    expect(revoked).toEqual([]);
    expect((await shop.record()).revocations).toMatchObject([{ tries: 0 }]);
    shop.pass(DAY_MS);
    await shop.tick(2, parts);
    expect(revoked).toHaveLength(1);
  });

  it('that the CA refuses is tried again, told once, and keeps nothing from being renewed', async () => {
    const { shop } = await asked();
    let isDown = true;
    const { parts, revoked } = revoking(shop, () => {
      if (isDown) throw new TransientError('CaUnreachable', 'no answer');
    });
    await shop.tick(3, parts);
    const { failures, revocations, generation } = await shop.record();
    expect({ failures: failures.count, tries: revocations?.[0]?.tries, generation }).toEqual({
      failures: 0,
      tries: 2,
      generation: 2,
    });
    isDown = false;
    await shop.tick(15, parts);
    expect(revoked).toHaveLength(1);
    const told = shop.published.map(({ type }) => type).slice(2);
    expect(told).toEqual(['Certificate Revocation Failed', 'Certificate Revoked']);
  });

  it('by a kind of issuer that revokes nothing says so', async () => {
    const { shop } = await asked();
    await shop.work();
    expect(shop.published.at(-1)).toMatchObject({
      type: 'Certificate Revocation Failed',
      detail: {
        failure: {
          class: 'permanent',
          code: 'RevocationUnsupported',
          message: `${issuerIdOf(ISSUER.ref)} is of a kind that revokes nothing`,
        },
      },
    });
  });

  it('that fails is in the log, with the try that it was', async () => {
    const { shop } = await asked();
    const { version } = (await shop.record()).current ?? {};
    const log: unknown[] = [];
    const { parts } = revoking(shop, () => {
      throw new TransientError('CaUnreachable', 'no answer');
    });
    await shop.tick(2, { ...parts, log: (...line) => void log.push(line) });
    const failure = { class: 'transient', code: 'CaUnreachable', message: 'no answer' };
    const line = (tries: number) => ({ certificate: shop.spec.id, version, tries, failure });
    expect(log.filter((one) => Array.isArray(one) && one[0] === 'a leaf could not be revoked')).toEqual([
      ['a leaf could not be revoked', line(1)],
      ['a leaf could not be revoked', line(2)],
    ]);
  });

  it('is counted as tried before it is, so that a worker that dies of it keeps nothing from being renewed', async () => {
    const { shop } = await asked();
    const seen: unknown[] = [];
    const { parts } = revoking(shop);
    const watched = interrupted(parts, async ({ method }, _index, act) => {
      if (method === 'revoke') seen.push((await shop.record()).revocations);
      return act();
    });
    await shop.work(watched);
    expect(seen).toMatchObject([[{ tries: 1 }]]);
  });

  it.each(['before', 'after'] as const)('is done from wherever its worker is killed, %s a call', async (when) => {
    for (let struck = 0; ; struck++) {
      const { shop, old } = await asked();
      const { parts, revoked } = revoking(shop);
      let calls = 0;
      const killing = interrupted(parts, async (_call, index, act) => {
        calls = index;
        if (index !== struck) return act();
        if (when === 'after') await act();
        throw new Killed();
      });
      await shop.work(killing).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      await shop.tick(20, parts);
      const { revocations, outbox, previous, attempt } = await shop.record();
      expect({ revocations, outbox, attempt }).toEqual({ revocations: undefined, outbox: [], attempt: undefined });
      expect(previous?.leaf.serialNumber).toBe(old);
      expect(previous?.revocation?.revokedAt).toBeDefined();
      // The CA may be asked twice by a worker that did not live to note it: that is no failure there.
      expect(new Set(revoked)).toEqual(new Set([old]));
      expect(shop.published.filter(({ type }) => type === 'Certificate Revoked').length).toBeGreaterThanOrEqual(1);
      if (calls < struck) break;
    }
  });
});
