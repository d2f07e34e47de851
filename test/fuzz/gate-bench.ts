import { KeyObject, sign, type webcrypto } from 'node:crypto';
import { type CertificateSpec } from '../../functions/core/certificate.ts';
import type { Candidate } from '../../functions/core/gate.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import { toPem } from '../../functions/core/x509/pem.ts';
import {
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
} from '../../local/pca/x509.ts';
import { aSpec, NOON } from '../support/builders.ts';
import { newKey, signLink } from '../support/test-ca.ts';
import { type DerNode, writeDer } from './der-tree.ts';

/** PEM as one certificate's DER. */
export const toDer = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');

const [rootKeys, caKeys, leafKeys] = await Promise.all([newKey(), newKey(), newKey()]);
const keyOf = (key: webcrypto.CryptoKey): KeyObject => KeyObject.from(key);

const SPEC: CertificateSpec = aSpec({ usages: ['digital signature', 'server auth'] });
const VALIDITY = { notBefore: NOON - DAY_MS, notAfter: NOON + 300 * DAY_MS };
const [ROOT, CA] = [
  { name: 'fuzz root', keys: rootKeys },
  { name: 'fuzz intermediate', keys: caKeys },
];

const root = await signLink({ ...ROOT, ...VALIDITY });
const intermediate = await signLink({ ...CA, by: ROOT, pathLength: 0, ...VALIDITY });
const leaf = await signLink({
  name: SPEC.commonName ?? '',
  keys: leafKeys,
  by: CA,
  isCa: false,
  notBefore: NOON - DAY_MS,
  notAfter: NOON + 90 * DAY_MS,
  extensions: [
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1']),
    new SubjectAlternativeNameExtension(SPEC.dnsNames.map((value) => ({ type: 'dns' as const, value }))),
  ],
});

/** A chain that the gate lets through, in DER, by what each certificate is. */
export const TRUE_CHAIN = { leaf: toDer(leaf), intermediate: toDer(intermediate), root: toDer(root) } as const;
export type Part = keyof typeof TRUE_CHAIN;

/** The keys that sign each. */
export const SIGNERS: Readonly<Record<Part, KeyObject>> = {
  leaf: keyOf(caKeys.privateKey),
  intermediate: keyOf(rootKeys.privateKey),
  root: keyOf(rootKeys.privateKey),
};

export const LEAF_KEY = keyOf(leafKeys.publicKey);

export function candidateOf(chain: Readonly<Record<Part, Buffer>>): Candidate {
  return {
    spec: SPEC,
    publicKey: LEAF_KEY,
    chain: {
      leaf: toPem('CERTIFICATE', chain.leaf),
      intermediates: [toPem('CERTIFICATE', chain.intermediate)],
      trustAnchors: [toPem('CERTIFICATE', chain.root)],
    },
    latestNotAfter: NOON + 90 * DAY_MS,
    uninvitedUsages: ['client auth'],
    withheldUsages: [],
  };
}

/** A certificate whose signature is right again, whatever is signed: what a CA may do, and nobody else. */
export function signedAgain(certificate: DerNode, key: KeyObject): DerNode {
  const [tbs, algorithm, signature] = certificate.members ?? [];
  if (tbs === undefined || algorithm === undefined || signature === undefined) return certificate;
  const content = Buffer.concat([Buffer.of(0), sign('sha256', writeDer(tbs), key)]);
  return { ...certificate, members: [tbs, algorithm, { ...signature, content, members: undefined }] };
}
