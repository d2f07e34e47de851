import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AccountStore, SecretRef } from '../../functions/core/ports.ts';
import { generateKey } from '../../functions/issue/keys.ts';

export interface AccountsUnderTest {
  readonly accounts: AccountStore;
  /** What a person does: a secret with fields, or with a text that is no JSON. */
  readonly put: (ref: SecretRef, value: Readonly<Record<string, string>> | string) => Promise<void>;
}

const DIRECTORY = 'https://ca.example/directory';
const makeKey = () => generateKey({ algorithm: 'ECDSA', sizeBits: 256 });
const newRef = (namespace?: string): SecretRef => ({ namespace, name: `account-${randomUUID()}`, key: 'tls.key' });

/** The duties of every AccountStore. */
export function accountStoreContract(name: string, make: () => Promise<AccountsUnderTest>): void {
  describe(`account store: ${name}`, () => {
    it('has nothing where nothing was stored', async () => {
      const { accounts } = await make();
      expect(await accounts.read(newRef())).toBeUndefined();
      await expect(accounts.readText(newRef())).rejects.toMatchObject({ class: 'permanent', code: 'SecretMissing' });
    });

    it('keeps the first key: whoever comes later, or at the same time, gets that one', async () => {
      const { accounts } = await make();
      const ref = newRef('payments');
      const together = await Promise.all([accounts.create(ref, makeKey), accounts.create(ref, makeKey)]);
      const later = await accounts.create(ref, makeKey);
      const read = await accounts.read(ref);
      for (const { key } of [...together, later]) expect(read?.key.equals(key)).toBe(true);
      expect(read?.urls).toEqual({});
    });

    it('notes which accounts were registered with a key, and forgets one alone', async () => {
      const { accounts } = await make();
      const ref = newRef();
      const { key } = await accounts.create(ref, makeKey);
      await accounts.noteUrl(ref, DIRECTORY, 'https://ca.example/account/1');
      await accounts.noteUrl(ref, 'https://other.example/dir', 'https://other.example/account/7');
      await accounts.noteUrl(ref, DIRECTORY, 'https://ca.example/account/1');
      const both = await accounts.read(ref);
      expect(both?.urls).toEqual({
        [DIRECTORY]: 'https://ca.example/account/1',
        'https://other.example/dir': 'https://other.example/account/7',
      });
      expect(both?.key.equals(key)).toBe(true);
      await accounts.noteUrl(ref, DIRECTORY, undefined);
      expect((await accounts.read(ref))?.urls).toEqual({
        'https://other.example/dir': 'https://other.example/account/7',
      });
    });

    it('notes what was noted, and forgotten, before', async () => {
      const { accounts } = await make();
      const ref = newRef();
      await accounts.create(ref, makeKey);
      for (const url of [
        'https://ca.example/account/1',
        'https://ca.example/account/2',
        'https://ca.example/account/1',
      ]) {
        await accounts.noteUrl(ref, DIRECTORY, url);
        expect((await accounts.read(ref))?.urls).toEqual({ [DIRECTORY]: url });
        await accounts.noteUrl(ref, DIRECTORY, undefined);
        expect((await accounts.read(ref))?.urls).toEqual({});
      }
    });

    it('tells secrets of one name in two namespaces apart', async () => {
      const { accounts } = await make();
      const ref = newRef('payments');
      await accounts.create(ref, makeKey);
      expect(await accounts.read({ ...ref, namespace: 'web' })).toBeUndefined();
    });

    it('takes a key that a person put there, under the name that the manifest gives it', async () => {
      const { accounts, put } = await make();
      const ref = { ...newRef(), key: 'account.pem' };
      const key = await makeKey();
      await put(ref, { 'account.pem': key.export({ type: 'pkcs8', format: 'pem' }).toString(), note: 'mine' });
      expect((await accounts.create(ref, makeKey)).key.equals(key)).toBe(true);
      await accounts.noteUrl(ref, DIRECTORY, 'https://ca.example/account/1');
      expect(await accounts.readText({ ...ref, key: 'note' })).toBe('mine');
    });

    it('reads what a person stored as a field, or as the whole of a secret', async () => {
      const { accounts, put } = await make();
      const [field, whole] = [{ ...newRef(), key: 'secret' }, newRef()];
      await put(field, { secret: 'aGFsbG8' });
      await put(whole, 'aGFsbG8');
      expect(await accounts.readText(field)).toBe('aGFsbG8');
      expect(await accounts.readText(whole)).toBe('aGFsbG8');
    });

    it('says which field is missing, and quotes nothing of what is there', async () => {
      const { accounts, put } = await make();
      const ref = newRef();
      await put(ref, { other: 'do-not-quote' });
      const failures = await Promise.all(
        [accounts.read(ref), accounts.readText(ref)].map((asked) => asked.catch((error: unknown) => error)),
      );
      for (const failure of failures) {
        expect(failure).toMatchObject({ class: 'permanent', code: 'SecretFieldMissing' });
        expect(String(failure)).toContain('tls.key');
        expect(String(failure)).not.toContain('do-not-quote');
      }
    });
  });
}
