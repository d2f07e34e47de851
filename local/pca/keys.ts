import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

export type KeyAlgorithm = 'RSA_2048' | 'EC_prime256v1' | 'EC_secp384r1';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

interface KeyKind {
  readonly family: 'RSA' | 'ECDSA';
  /** What the CA signs its own certificates with. */
  readonly signingAlgorithm: string;
  readonly webCrypto: { readonly name: string; readonly namedCurve?: string };
  generate(): Promise<KeyPair>;
}

const newKeyPair = promisify(generateKeyPair);

export const KEYS: Readonly<Record<KeyAlgorithm, KeyKind>> = {
  RSA_2048: {
    family: 'RSA',
    signingAlgorithm: 'SHA256WITHRSA',
    webCrypto: { name: 'RSASSA-PKCS1-v1_5' },
    generate: () => newKeyPair('rsa', { modulusLength: 2_048 }),
  },
  EC_prime256v1: {
    family: 'ECDSA',
    signingAlgorithm: 'SHA256WITHECDSA',
    webCrypto: { name: 'ECDSA', namedCurve: 'P-256' },
    generate: () => newKeyPair('ec', { namedCurve: 'P-256' }),
  },
  EC_secp384r1: {
    family: 'ECDSA',
    signingAlgorithm: 'SHA384WITHECDSA',
    webCrypto: { name: 'ECDSA', namedCurve: 'P-384' },
    generate: () => newKeyPair('ec', { namedCurve: 'P-384' }),
  },
};

/** `SHA384WITHECDSA` taken apart. */
export function signingAlgorithmOf(name: string): { readonly hash: string; readonly family: string } {
  const [, bits = '', family = ''] = /^SHA(256|384|512)WITH(RSA|ECDSA)$/.exec(name) ?? [];
  return { hash: `SHA-${bits}`, family };
}
