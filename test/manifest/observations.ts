import 'reflect-metadata';
import {
  ExtendedKeyUsageExtension,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509';
import { attemptId, type CertificateSpec, issuerIdOf } from '../../functions/core/certificate.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import { planRenewal } from '../../functions/core/schedule.ts';
import { compareSpecs } from '../../functions/core/spec-change.ts';
import { SECOND_MS } from '../../functions/core/time.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { encodeBundle } from '../../functions/stores/bundle.ts';
import { secretNameOf } from '../../functions/stores/secret-name.ts';
import { aLeaf, NOON } from '../support/builders.ts';
import { CERTIFICATE, parse } from './support.ts';

const KEY = await generateKey({ algorithm: 'ECDSA', sizeBits: 256 });

/** What a manifest comes to where somebody can see it: in the request, the secret, the calendar, or what is said of it. */
export const OBSERVERS = {
  id: (spec) => spec.id,
  labels: (spec) => spec.labels,
  secret: (spec) => secretNameOf('Everleaf', { certificate: spec.id, secretName: spec.secretName }),
  issuer: (spec) => issuerIdOf(spec.issuerRef),
  subject: async (spec) => (await request(spec)).subject,
  names: async (spec) => {
    const { extensions } = await request(spec);
    const names = extensions.find((extension) => extension instanceof SubjectAlternativeNameExtension)?.names.items;
    return names?.map(({ type, value }) => `${type} ${value}`);
  },
  usages: async (spec) => {
    const { extensions } = await request(spec);
    const purposes = extensions.find((extension) => extension instanceof ExtendedKeyUsageExtension)?.usages;
    return {
      bits: extensions.find((extension) => extension instanceof KeyUsagesExtension)?.usages,
      purposes: purposes?.map(String),
    };
  },
  key: async (spec) => {
    const { asymmetricKeyType, asymmetricKeyDetails } = await generateKey(spec.privateKey);
    return `${asymmetricKeyType} ${asymmetricKeyDetails?.modulusLength ?? asymmetricKeyDetails?.namedCurve}`;
  },
  lifetimeHours: (spec) => spec.durationSeconds / 3_600,
  renewedAfterHours: (spec) => {
    const leaf = aLeaf({ notAfter: NOON + spec.durationSeconds * SECOND_MS });
    return Math.round((planRenewal(spec.id, leaf, NOON, spec.renewBefore).renewAt - NOON) / SECOND_MS / 3_600);
  },
  bundle: (spec) => Object.keys(JSON.parse(bundleOf(spec)) as object),
} as const satisfies Readonly<Record<string, (spec: CertificateSpec) => unknown>>;
export type Observed = keyof typeof OBSERVERS;

const request = async (spec: CertificateSpec): Promise<Pkcs10CertificateRequest> =>
  new Pkcs10CertificateRequest(await buildCsr(spec, keyHandle(KEY)));

/** The secret's JSON for this specification, of a made-up chain. */
export function bundleOf(spec: CertificateSpec): string {
  const chain = { leaf: 'LEAF\n', intermediates: ['INTERMEDIATE\n'], trustAnchors: ['ROOT\n'] };
  const attempt = attemptId.parse('5f9a3c1e-0b52-4c4e-9a53-0f3d2b1a7c6d');
  const facts = { generation: 1, specDigest: '', issuedAt: NOON, leaf: aLeaf() };
  const provenance = { certificate: spec.id, attempt, issuerRef: spec.issuerRef, ...facts };
  return encodeBundle(KEY, chain, provenance, spec.outputFormats);
}

/** The certificate that a document comes to, and everything said about it as `Code path`. */
export function readOne(text: string): { spec: CertificateSpec | undefined; codes: readonly string[] } {
  const { manifest, findings } = parse(text);
  return { spec: manifest.certificates[0], codes: findings.map(({ code }) => code) };
}

/** What a deploy would do to a certificate that was issued as `CERTIFICATE` says. */
export function consequenceOf(spec: CertificateSpec): string {
  const before = readOne(CERTIFICATE).spec;
  if (before === undefined) throw new Error('the sample is not sound');
  return before.id === spec.id ? compareSpecs(before, spec).consequence : 'another certificate';
}
