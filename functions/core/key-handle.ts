import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyHandle } from './ports.ts';

const signAsync = promisify(sign);

/** A handle whose private half no property, JSON or inspection shows. */
export function keyHandle(privateKey: KeyObject): KeyHandle {
  return {
    publicKey: createPublicKey(privateKey),
    sign: async (data) => new Uint8Array(await signAsync('sha256', data, privateKey)),
  };
}
