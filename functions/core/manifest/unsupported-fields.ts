import type { CertificateFields } from './certificate-shape.ts';
import { atKey, error, warning, type Problem } from './finding.ts';

interface Verdict {
  readonly field: keyof CertificateFields;
  readonly severity: 'error' | 'warning';
  readonly because: string;
  readonly remedy: string;
}

/**
 * Fields of cert-manager's that are understood and not carried out. An error where a consumer would miss what it asked for
 * or trust would come out wider than written; a warning where leaving it out changes nothing that anybody can observe.
 */
const VERDICTS: readonly Verdict[] = [
  {
    field: 'literalSubject',
    severity: 'error',
    because: 'the subject would lose its order and attributes',
    remedy: 'Write `commonName` and `subject` instead.',
  },
  {
    field: 'otherNames',
    severity: 'error',
    because: 'the certificate would lack these names',
    remedy: 'Use `dnsNames`, `uris`, `emailAddresses` or `ipAddresses`.',
  },
  {
    field: 'keystores',
    severity: 'error',
    because: 'consumers would find no JKS or PKCS#12 keystore',
    remedy: 'Remove it and read `tls.crt` and `tls.key`; Java reads PEM with a PKCS#8 key.',
  },
  {
    field: 'additionalOutputFormats',
    severity: 'error',
    because: 'consumers would find neither the combined PEM nor the DER key',
    remedy: 'Remove it and read `tls.crt` and `tls.key`.',
  },
  {
    field: 'nameConstraints',
    severity: 'error',
    because: 'it constrains a CA certificate, and none is issued',
    remedy: 'Remove it.',
  },
  {
    field: 'signatureAlgorithm',
    severity: 'error',
    because: 'the request is signed with SHA-256 and the CA chooses for the certificate',
    remedy: 'Remove it, and choose the algorithm at the CA.',
  },
  {
    field: 'renewal',
    severity: 'error',
    because: 'renewal would not keep to its policy and windows',
    remedy: 'Remove it, and use `renewBefore` or `renewBeforePercentage`.',
  },
  {
    field: 'secretTemplate',
    severity: 'warning',
    because: 'no Kubernetes Secret is made, and its labels and annotations are not copied to tags',
    remedy: 'Remove it, unless a cluster uses the same manifest.',
  },
  {
    field: 'encodeUsagesInRequest',
    severity: 'warning',
    because: 'the issuer is told the usages whichever way it takes them',
    remedy: 'Remove it, unless a cluster uses the same manifest.',
  },
  {
    field: 'revisionHistoryLimit',
    severity: 'warning',
    because: 'no CertificateRequests are kept',
    remedy: 'Remove it, unless a cluster uses the same manifest.',
  },
];

export function unsupportedFieldProblems(fields: CertificateFields): Problem[] {
  const problems = VERDICTS.filter(({ field }) => fields[field] !== undefined).map((verdict) => {
    const path = ['spec', verdict.field];
    return verdict.severity === 'error'
      ? error('NotSupportedYet', path, `\`${verdict.field}\` is not supported yet: ${verdict.because}.`, verdict.remedy)
      : warning('NoMeaningHere', path, `\`${verdict.field}\` has no effect here: ${verdict.because}.`, verdict.remedy);
  });
  return [...problems.map(atKey), ...(fields.isCA === true ? [CA_CERTIFICATE] : [])];
}

const CA_CERTIFICATE = error(
  'NotSupportedYet',
  ['spec', 'isCA'],
  'CA certificates are not supported yet: a key that can sign others needs more care than a leaf.',
  'Write `isCA: false`, and create subordinate CAs at the CA itself.',
);
