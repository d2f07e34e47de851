import { describe, expect, it } from 'vitest';
import { generateKey } from '../../functions/issue/keys.ts';

describe('RSA keys', () => {
  it('are made one after the other: all at once they would hold the threads that look up names', async () => {
    const made: number[] = [];
    const asked = Array.from({ length: 8 }, async (_, index) => {
      const key = await generateKey({ algorithm: 'RSA', sizeBits: 2048 });
      made.push(index);
      return key.asymmetricKeyDetails?.modulusLength;
    });
    expect(await Promise.all(asked)).toEqual(asked.map(() => 2048));
    expect(made).toEqual(asked.map((_, index) => index));
  });

  it('keep no elliptic curve waiting', async () => {
    const made: string[] = [];
    const rsa = Array.from({ length: 3 }, () =>
      generateKey({ algorithm: 'RSA', sizeBits: 2048 }).then(() => made.push('RSA')),
    );
    await generateKey({ algorithm: 'ECDSA', sizeBits: 256 }).then(() => made.push('ECDSA'));
    await Promise.all(rsa);
    expect(made.indexOf('ECDSA')).toBeLessThan(2);
  });
});
