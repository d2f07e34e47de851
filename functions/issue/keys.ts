import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { PrivateKeySpec } from '../core/certificate.ts';

const generate = promisify(generateKeyPair);

const CURVES = { 256: 'P-256', 384: 'P-384', 521: 'P-521' } as const;

/** A fresh key for one attempt. RSA-4096 takes seconds, off the event loop. */
export async function generateKey(spec: PrivateKeySpec): Promise<KeyObject> {
  const { privateKey } =
    spec.algorithm === 'RSA'
      ? await inTurn(() => generate('rsa', { modulusLength: spec.sizeBits }))
      : await generate('ec', { namedCurve: CURVES[spec.sizeBits] });
  return privateKey;
}

let lastInTurn: Promise<unknown> = Promise.resolve();

/** One at a time: four of them would hold all threads of libuv, and with them every DNS lookup of the renewals beside. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = lastInTurn.then(work);
  lastInTurn = mine.catch(() => undefined);
  return mine;
}
