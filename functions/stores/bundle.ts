import { createPrivateKey, type KeyObject } from 'node:crypto';
import * as z from 'zod/mini';
import {
  attemptId,
  type CertificateId,
  certificateId,
  issuerRef,
  leafFacts,
  type OutputFormat,
  type VerifiedChain,
} from '../core/certificate.ts';
import type { Provenance } from '../core/ports.ts';
import type { KeyedBundle } from '../core/rollout/ports.ts';
import { instant } from '../core/time.ts';
import { splitCertificates } from '../core/x509/pem.ts';

/** Where a key waits for its certificate. Consumers read `tls.key`; this they never read. */
const STAGED_KEY = 'everleaf.stagedKey';

const provenance = z.object({
  certificate: certificateId,
  attempt: attemptId,
  generation: z.int(),
  issuerRef,
  specDigest: z.string(),
  issuedAt: instant,
  leaf: leafFacts,
  account: z.optional(z.string()),
  offersRenewalInfo: z.optional(z.boolean()),
});

const staged = z.object({
  [STAGED_KEY]: z.string(),
  everleaf: z.object({ certificate: certificateId, attempt: attemptId }),
});

/** `tls.crt`: leaf, then intermediates. `tls.key`: PKCS#8. `ca.crt`: trust anchors. All PEM, as a `kubernetes.io/tls` Secret has them. */
const bundle = z.object({ 'tls.crt': z.string(), 'tls.key': z.string(), 'ca.crt': z.string(), everleaf: provenance });

/** What a version of a secret turned out to be. */
export type SecretContent =
  | { readonly is: 'stagedKey'; readonly certificate: string; readonly key: KeyObject }
  | {
      readonly is: 'bundle';
      readonly provenance: Provenance;
      /** PEM each. */
      readonly leaf: string;
      readonly intermediates: readonly string[];
      readonly trustAnchors: readonly string[];
    }
  | { readonly is: 'foreign' };

export function encodeStagedKey(key: KeyObject, everleaf: { certificate: string; attempt: string }): string {
  return JSON.stringify({ [STAGED_KEY]: exportKey(key), everleaf });
}

/** Further forms of the bundle, in the fields that cert-manager puts them in. */
const FURTHER_FORMS: Readonly<Record<OutputFormat, (key: KeyObject, certificates: string) => [string, string]>> = {
  // An empty line between the two, byte for byte as cert-manager joins them.
  CombinedPEM: (key, certificates) => ['tls-combined.pem', `${exportKey(key)}\n${certificates}`],
  // In base64, as `kubectl get secret` shows it: JSON holds no bytes.
  DER: (key) => ['key.der', key.export({ type: 'pkcs8', format: 'der' }).toString('base64')],
};

export function encodeBundle(
  key: KeyObject,
  chain: VerifiedChain,
  facts: Provenance,
  formats: readonly OutputFormat[] = [],
): string {
  const certificates = [chain.leaf, ...chain.intermediates].join('');
  return JSON.stringify({
    'tls.crt': certificates,
    'tls.key': exportKey(key),
    'ca.crt': chain.trustAnchors.join(''),
    ...Object.fromEntries(formats.map((format) => FURTHER_FORMS[format](key, certificates))),
    everleaf: z.encode(provenance, facts),
  });
}

/** Reads a version's text. Content that is not ours is named as such, never quoted. */
export function readContent(text: string | undefined): SecretContent {
  const json = parseJson(text);
  const asBundle = z.safeDecode(bundle, json as z.input<typeof bundle>);
  if (asBundle.success) {
    const { everleaf, 'tls.crt': chain, 'ca.crt': anchors } = asBundle.data;
    const [leaf = '', ...intermediates] = splitCertificates(chain);
    return { is: 'bundle', provenance: everleaf, leaf, intermediates, trustAnchors: splitCertificates(anchors) };
  }
  const asStaged = z.safeParse(staged, json);
  const key = asStaged.success ? keyIn(asStaged.data[STAGED_KEY]) : undefined;
  if (asStaged.data === undefined || key === undefined) return { is: 'foreign' };
  return { is: 'stagedKey', certificate: asStaged.data.everleaf.certificate, key };
}

/** Undefined where somebody has edited it until it is none. */
function keyIn(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** What consumers read of a version; undefined where it is no bundle of this certificate. */
export function readKeyedBundle(text: string | undefined, certificate: CertificateId): KeyedBundle | undefined {
  const parsed = z.safeDecode(bundle, parseJson(text) as z.input<typeof bundle>);
  if (!parsed.success || parsed.data.everleaf.certificate !== certificate) return undefined;
  const { everleaf: _facts, ...fields } = parsed.data;
  return fields;
}

const exportKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    // A value that is no JSON is somebody else's: readContent says so.
    return undefined;
  }
}
