import type { KeyObject } from 'node:crypto';
import * as z from 'zod/mini';
import { readSigningRequest, type SigningRequest } from '../pca/signing-request.ts';
import { PemConverter, SubjectAlternativeNameExtension } from '../pca/x509.ts';
import { AwsError } from '../wire/service.ts';
import { base64url } from './jws.ts';
import { AcmeProblem } from './problems.ts';

const SHORTEST_MODULUS = 2_048;
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

export const finalization = z.object({ csr: base64url });

/** What a leaf takes from the signing request; its names are the order's. */
export interface OrderedLeaf {
  readonly publicKey: KeyObject;
  readonly commonName: string | undefined;
}

/** RFC 8555, section 7.4: exactly the names of the order, and a key that is not the account's. */
export async function readCsr(csr: string, names: readonly string[], accountKey: KeyObject): Promise<OrderedLeaf> {
  const { subject, subjectAltName, publicKey } = await decode(csr);
  const [commonName] = subject.getField('CN').map((name) => name.toLowerCase());
  const alternatives =
    subjectAltName === undefined ? [] : new SubjectAlternativeNameExtension(subjectAltName.rawData).names.items;
  if (alternatives.some(({ type }) => type !== 'dns')) throw badCsr('it has names that are no DNS names');
  const asked = new Set(alternatives.map(({ value }) => value.toLowerCase()));
  if (commonName !== undefined) asked.add(commonName);
  if (asked.size !== names.length || !names.every((name) => asked.has(name))) {
    throw badCsr(`its names are ${[...asked].join(', ')}, those of the order ${names.join(', ')}`);
  }
  if (publicKey.equals(accountKey)) throw badCsr('its key is that of the account');
  requireStrength(publicKey);
  return { publicKey, commonName };
}

async function decode(csr: string): Promise<SigningRequest> {
  const pem = PemConverter.encode(Buffer.from(csr, 'base64url'), 'CERTIFICATE REQUEST');
  return await readSigningRequest(pem).catch((error: unknown) => {
    throw error instanceof AwsError ? badCsr(error.message) : error;
  });
}

function requireStrength({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): void {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails;
  const isStrong =
    (asymmetricKeyType === 'rsa' && modulusLength >= SHORTEST_MODULUS) ||
    (asymmetricKeyType === 'ec' && CURVES.has(namedCurve));
  if (!isStrong) throw badCsr(`no certificate has a key of ${asymmetricKeyType} ${namedCurve || modulusLength}`);
}

const badCsr = (why: string): AcmeProblem => new AcmeProblem('badCSR', `the signing request is refused: ${why}`);
