import { createPublicKey, type KeyObject } from 'node:crypto';
import { AwsError } from '../wire/service.ts';
import { type Extension, type Name, Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from './x509.ts';

const SUBJECT_ALT_NAME = '2.5.29.17';

/** What a template takes over from a PKCS#10 request. */
export interface SigningRequest {
  readonly subject: Name;
  readonly subjectAltName: Extension | undefined;
  readonly publicKey: KeyObject;
}

/** Reads a request in PEM whose sender proved to hold the key. */
export async function readSigningRequest(pem: string): Promise<SigningRequest> {
  const request = parse(pem);
  // Throws for algorithms it cannot verify.
  const isGenuine = await request.verify().catch(() => false);
  if (!isGenuine) throw malformed('its signature was not made with its own key');
  const subjectAltName = request.getExtension(SUBJECT_ALT_NAME) ?? undefined;
  // "A CSR must provide either a subject name or a subject alternative name or the request will be rejected."
  if (request.subject === '' && subjectAltName === undefined) throw malformed('it has neither a subject nor names');
  const spki = Buffer.from(request.publicKey.rawData);
  return {
    subject: request.subjectName,
    subjectAltName,
    publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
  };
}

/** All names, the subject's first. */
export function namesIn(subject: Name, subjectAltName: Extension | undefined): string[] {
  const alternatives =
    subjectAltName === undefined ? [] : new SubjectAlternativeNameExtension(subjectAltName.rawData).names.items;
  return [...subject.getField('CN'), ...alternatives.map(({ value }) => value)];
}

function parse(pem: string): Pkcs10CertificateRequest {
  if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem)) throw malformed('it is not a PEM CERTIFICATE REQUEST');
  try {
    return new Pkcs10CertificateRequest(pem);
  } catch {
    throw malformed('it is not a PKCS#10 structure');
  }
}

const malformed = (why: string): AwsError =>
  new AwsError('MalformedCSRException', `The certificate signing request is invalid: ${why}.`);
