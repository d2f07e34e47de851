import crypto, { type KeyObject } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

type Callback = (error: Error | null, publicKey: unknown, privateKey: unknown) => void;

/**
 * Tells of every key pair that is made in this worker, at its making: a key that leaks before it is stored is known to be one.
 */
export function reportKeys(report: (pem: string) => void): void {
  const tell = (privateKey: unknown): void => {
    // Made in an encoding of the caller's own, it is text that says itself that it is a key.
    const isKey = privateKey instanceof crypto.KeyObject;
    report(isKey ? pemOf(privateKey) : String(privateKey));
  };
  // Proxies, because `promisify` reads properties that nobody else can.
  crypto.generateKeyPairSync = new Proxy(crypto.generateKeyPairSync, {
    apply: (generate, self, values: unknown[]) => {
      const pair = Reflect.apply(generate, self, values as Parameters<typeof generate>) as { privateKey: unknown };
      tell(pair.privateKey);
      return pair;
    },
  });
  crypto.generateKeyPair = new Proxy(crypto.generateKeyPair, {
    apply: (generate, self, values: unknown[]) => {
      const done = values.at(-1) as Callback;
      const heard: Callback = (error, publicKey, privateKey) => {
        if (error === null || error === undefined) tell(privateKey);
        done(error, publicKey, privateKey);
      };
      const given = [...values.slice(0, -1), heard] as unknown as Parameters<typeof generate>;
      return Reflect.apply(generate, self, given) as unknown;
    },
  });
  // Bundles import these functions by name.
  syncBuiltinESMExports();
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
