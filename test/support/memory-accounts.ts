import { createPrivateKey, type KeyObject } from 'node:crypto';
import { PermanentError } from '../../functions/core/errors.ts';
import type { AccountStore, SecretRef } from '../../functions/core/ports.ts';

/** Account keys in memory, with the port's duties. `put` is what a person does. */
export interface MemoryAccounts extends AccountStore {
  readonly put: (ref: SecretRef, value: Readonly<Record<string, string>> | string) => Promise<void>;
  readonly lose: (ref: SecretRef) => Promise<void>;
}

interface Held {
  value: Readonly<Record<string, string>> | string;
  urls: Record<string, string>;
}

export function memoryAccounts(): MemoryAccounts {
  const secrets = new Map<string, Held>();
  const at = ({ namespace = 'default', name }: SecretRef): string => `${namespace}/${name}`;
  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

  const read: AccountStore['read'] = async (ref) => {
    const held = secrets.get(at(ref));
    if (held === undefined) return undefined;
    const text = typeof held.value === 'string' ? undefined : held.value[ref.key];
    if (text === undefined) throw new PermanentError('SecretFieldMissing', `${at(ref)} has no ${ref.key}`);
    return { key: createPrivateKey(text), urls: { ...held.urls } };
  };
  return {
    read,
    create: async (ref, make) => {
      const key = await make();
      if (!secrets.has(at(ref))) secrets.set(at(ref), { value: { [ref.key]: pem(key) }, urls: {} });
      const stored = await read(ref);
      if (stored === undefined) throw new Error('it was just put there');
      return stored;
    },
    noteUrl: async (ref, directory, url) => {
      const urls = secrets.get(at(ref))?.urls ?? {};
      if (url === undefined) delete urls[directory];
      else urls[directory] = url;
    },
    readText: async (ref) => {
      const held = secrets.get(at(ref));
      if (held === undefined) throw new PermanentError('SecretMissing', `there is no ${at(ref)}`);
      const text = typeof held.value === 'string' ? held.value : held.value[ref.key];
      if (text !== undefined) return text;
      throw new PermanentError('SecretFieldMissing', `${at(ref)} has no ${ref.key}`);
    },
    put: async (ref, value) => void secrets.set(at(ref), { value, urls: {} }),
    lose: async (ref) => void secrets.delete(at(ref)),
  };
}
