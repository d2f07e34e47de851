/** A certificate as its owner would write it, from an issuer of the sample manifest. */
export const certificateYaml = (
  name: string,
  dnsName = `${name}.internal.example`,
): string => `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: ${name} }
spec:
  secretName: ${name}-tls
  dnsNames: [${dnsName}]
  privateKey: { algorithm: ECDSA }
  issuerRef: { group: awspca.cert-manager.io, kind: AWSPCAClusterIssuer, name: internal }
`;

/** Ninety days from a CA that signs for seven: nothing is wrong with the manifest, and no CA will ever issue it. */
export const IMPOSSIBLE_YAML = `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: too-long, namespace: payments }
spec:
  secretName: too-long-tls
  dnsNames: [too-long.internal.example]
  duration: 2160h
  privateKey: { algorithm: ECDSA }
  issuerRef: { group: awspca.cert-manager.io, kind: AWSPCAIssuer, name: short-lived }
`;

/** The fault is on line 5. */
export const FAULTY_YAML = `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: faulty }
spec:
  duration: ninety days
  secretName: faulty-tls
  dnsNames: [faulty.internal.example]
  issuerRef: { group: awspca.cert-manager.io, kind: AWSPCAClusterIssuer, name: internal }
`;
