import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/*
 * Private keys are no part of the corpus: its files have marks where an input has keys, made anew in every run.
 */

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ED = generateKeyPairSync('ed25519').privateKey;

const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1' = 'pkcs8'): string =>
  key.export({ type, format: 'pem' }).toString();
const base64 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'der' }).toString('base64');
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

const KEYS: Readonly<Record<string, string>> = {
  '@EC-PEM@': pem(EC),
  '@EC-PEM-IN-JSON@': inJson(pem(EC)),
  '@SEC1-PEM-IN-JSON@': inJson(pem(EC, 'sec1')),
  '@EC-BASE64@': base64(EC),
  '@RSA-PEM@': pem(RSA),
  '@RSA-PEM-IN-JSON@': inJson(pem(RSA)),
  '@PKCS1-PEM-IN-JSON@': inJson(pem(RSA, 'pkcs1')),
  '@RSA-BASE64@': base64(RSA),
  '@ED25519-PEM-IN-JSON@': inJson(pem(ED)),
  '@ED25519-BASE64@': base64(ED),
};

/** The marks, for whoever wants to place one. */
export const KEY_MARKS = Object.keys(KEYS);
export const KEY_MARKS_IN_JSON = KEY_MARKS.filter((mark) => !mark.endsWith('PEM@'));

/** An input's text, its marks replaced by keys. */
export const withKeys = (text: string): string => text.replaceAll(/@[A-Z0-9-]{4,20}@/g, (mark) => KEYS[mark] ?? mark);

/** What is secret in each, in base64: the private numbers, without algorithm names and public halves. */
const SECRETS = [
  base64(EC).slice(49, 90),
  body(pem(EC, 'sec1')).slice(11, 50),
  base64(RSA).slice(420, -4),
  body(pem(RSA, 'pkcs1')).slice(390, -4),
  base64(ED).slice(24, -2),
];

/** As few characters as nobody types by chance. */
const SHARE_CHARACTERS = 16;

const sharesOf = (text: string): readonly string[] =>
  Array.from({ length: Math.max(0, text.length - SHARE_CHARACTERS + 1) }, (_, at) =>
    text.slice(at, at + SHARE_CHARACTERS),
  );

const SHARES = new Set(SECRETS.flatMap(sharesOf));

export function assertNoKey(text: string): void {
  // Line ends, also as JSON writes them, hide nothing.
  const bare = text.replaceAll(/\\[nr]|[^A-Za-z0-9+/]/g, '');
  const found = sharesOf(bare).find((share) => SHARES.has(share));
  assert.equal(found, undefined, `a private key in: ${text.slice(0, 300)}`);
}

function body(text: string): string {
  return text.replaceAll(/-----[^-]+-----|\s/g, '');
}
