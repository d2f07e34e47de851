import { HOOKS, ISSUERS as KINDS } from '../../functions/catalogue.ts';
import { parseManifest, type ManifestFile, type ParsedManifest } from '../../functions/core/manifest/index.ts';

export const ARN = 'arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/3f1c2a7e-58d4-4b0e-9a6f-2c7d81e5b904';

export const ISSUERS: ManifestFile = {
  path: 'issuers.yaml',
  text: `apiVersion: awspca.cert-manager.io/v1beta1
kind: AWSPCAClusterIssuer
metadata:
  name: internal
spec:
  arn: ${ARN}
---
apiVersion: awspca.cert-manager.io/v1beta1
kind: AWSPCAIssuer
metadata:
  name: short-lived
  namespace: payments
spec:
  arn: ${ARN}
`,
};

/** Parses one file, `a.yaml`, beside two sound issuers. */
export const parse = (text: string, ...others: ManifestFile[]): ParsedManifest =>
  parseManifest([{ path: 'a.yaml', text }, ISSUERS, ...others], KINDS, { hookKinds: HOOKS });

/** A sound certificate whose next line, at the end of its `spec`, is the tenth. */
export const CERTIFICATE = `apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: orders
spec:
  secretName: orders-tls
  issuerRef: { group: awspca.cert-manager.io, kind: AWSPCAClusterIssuer, name: internal }
  dnsNames:
    - orders.internal.example
`;

/** A sound issuer whose next line, at the end of its `acme`, is the tenth. */
export const ACME_ISSUER = `apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: letsencrypt
spec:
  acme:
    server: https://acme-v02.api.letsencrypt.org/directory
    privateKeySecretRef: { name: letsencrypt-account }
    solvers: [{ dns01: { route53: {} } }]
`;

/** The same without a name: its next line is the eighth. */
export const NAMELESS = CERTIFICATE.slice(0, CERTIFICATE.indexOf('  dnsNames'));

/** `line:column severity Code`, one a finding. */
export const places = ({ findings }: ParsedManifest): string[] =>
  findings.map(({ file, line, column, severity, code }) => {
    const place = file === 'a.yaml' ? '' : `${file}:`;
    return `${place}${line}:${column} ${severity} ${code}`;
  });
