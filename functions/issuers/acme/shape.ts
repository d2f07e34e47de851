import * as z from 'zod/mini';

const text = z.optional(z.string());
const texts = z.optional(z.array(z.string()));
const flag = z.optional(z.boolean());
const elsewhere = z.optional(z.unknown());

const secretKeySelector = z.strictObject({ name: z.string(), key: text });

const solver = z.strictObject({
  selector: z.optional(
    z.strictObject({ matchLabels: z.optional(z.record(z.string(), z.string())), dnsNames: texts, dnsZones: texts }),
  ),
  http01: elsewhere,
  dns01: elsewhere,
  waitInsteadOfSelfCheck: elsewhere,
});

const acmeFields = z.strictObject({
  server: z.string(),
  email: text,
  preferredChain: text,
  caBundle: text,
  skipTLSVerify: flag,
  externalAccountBinding: z.optional(
    z.strictObject({
      keyID: z.string(),
      keySecretRef: z.strictObject({ name: z.string(), key: z.string() }),
      keyAlgorithm: z.optional(z.enum(['HS256', 'HS384', 'HS512'])),
    }),
  ),
  privateKeySecretRef: secretKeySelector,
  profile: text,
  disableAccountKeyGeneration: flag,
  enableDurationFeature: flag,
  solvers: z.optional(z.array(solver)),
});
export type AcmeFields = z.infer<typeof acmeFields>;
export type SolverFields = z.infer<typeof solver>;

/** An Issuer's `spec` with ACME in it, as cert-manager's custom resource definition types it. */
export const acmeSpec = z.strictObject({ acme: acmeFields });

/** How a missing field could look. */
export const ACME_EXAMPLES: Readonly<Record<string, string>> = {
  'spec.acme.server': 'server: https://acme-v02.api.letsencrypt.org/directory',
  'spec.acme.privateKeySecretRef': 'privateKeySecretRef: { name: letsencrypt-account-key }',
  'spec.acme.privateKeySecretRef.name': 'name: letsencrypt-account-key',
  'spec.acme.externalAccountBinding.keyID': 'keyID: the-id-that-the-ca-gave',
  'spec.acme.externalAccountBinding.keySecretRef': 'keySecretRef: { name: ca-eab, key: secret }',
  'spec.acme.externalAccountBinding.keySecretRef.name': 'name: ca-eab',
  'spec.acme.externalAccountBinding.keySecretRef.key': 'key: secret',
};
