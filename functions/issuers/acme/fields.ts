import type { Field } from '../../core/manifest/fields.ts';

/** Fields of `cert-manager.io/v1` Issuer and ClusterIssuer with `acme`, those of its challenges left to them. */
export const ACME_FIELDS = [
  {
    path: 'metadata.annotations.everleaf.dev/trust-anchors',
    verdict: 'honoured',
    does: 'Where chains have to end: `public` (the roots that the platform trusts), or the names of PEM files beside the document, with commas between them. What ends elsewhere is refused before anybody is served it.',
    default: 'the top of the chain that the CA sends',
  },
  {
    path: 'metadata.annotations.everleaf.dev/acme-hosts',
    verdict: 'honoured',
    does: "Hosts, with commas between them, that the CA's URLs may lead to beside the directory's own: `host` or `host:port`.",
    default: "the directory's host alone",
  },
  {
    path: 'spec.acme.server',
    verdict: 'honoured',
    does: "URL of the CA's directory.",
    deviates: '`http:`, credentials in the URL, and link-local addresses are refused',
  },
  {
    path: 'spec.acme.email',
    verdict: 'honoured',
    does: 'Told to the CA when the account is registered.',
    default: 'none',
    deviates: 'a later change is not told',
  },
  {
    path: 'spec.acme.privateKeySecretRef.name',
    verdict: 'honoured',
    does: 'The secret with the account key: `deployment/[namespace/]name`. It is made when it is not there. Issuers that name the same one share the key.',
  },
  {
    path: 'spec.acme.privateKeySecretRef.key',
    verdict: 'honoured',
    does: 'The field in that secret.',
    default: '`tls.key`',
  },
  {
    path: 'spec.acme.disableAccountKeyGeneration',
    verdict: 'honoured',
    does: '`true`: the account key is one that a person has put there, and none is made.',
    default: '`false`',
  },
  {
    path: 'spec.acme.externalAccountBinding.keyID',
    verdict: 'honoured',
    does: 'The id of the key that the CA gave to a customer, to register accounts with.',
  },
  {
    path: 'spec.acme.externalAccountBinding.keySecretRef.name',
    verdict: 'honoured',
    does: 'The secret with that key, which a person puts there: `deployment/[namespace/]name`.',
    deviates: 'it has to be another secret than that of the account key',
  },
  {
    path: 'spec.acme.externalAccountBinding.keySecretRef.key',
    verdict: 'honoured',
    does: 'The field in that secret, with the key in base64url as the CA gave it.',
  },
  {
    path: 'spec.acme.externalAccountBinding.keyAlgorithm',
    verdict: 'honoured',
    does: '`HS256` is what happens, here as there. Others are warned about.',
    default: '`HS256`',
  },
  {
    path: 'spec.acme.caBundle',
    verdict: 'honoured',
    does: "Base64 of PEM: the certificates that the TLS of the CA's own server is verified against, instead of the platform's.",
    default: "the platform's roots",
  },
  {
    path: 'spec.acme.skipTLSVerify',
    verdict: 'honoured',
    does: '`false` is what happens.',
    default: '`false`',
    deviates: '`true` is refused: `caBundle` does it safely',
  },
  {
    path: 'spec.acme.preferredChain',
    verdict: 'honoured',
    does: 'Common name of the root to which the wanted chain leads, where the CA offers several.',
    default: 'the chain that the CA sends first',
  },
  {
    path: 'spec.acme.profile',
    verdict: 'honoured',
    does: "One of the CA's profiles, by its name in the directory.",
    default: "the CA's own",
  },
  {
    path: 'spec.acme.enableDurationFeature',
    verdict: 'honoured',
    does: "`true`: the CA is asked for the certificate's `duration`. Let's Encrypt refuses such orders.",
    default: '`false`: the CA gives what it gives, and renewal goes by that',
  },
  {
    path: 'spec.acme.solvers[].selector.dnsNames',
    verdict: 'honoured',
    does: 'The solver is for these names, wildcards with their `*.`.',
    default: 'every name',
  },
  {
    path: 'spec.acme.solvers[].selector.dnsZones',
    verdict: 'honoured',
    does: 'The solver is for these zones and all beneath them.',
    default: 'every zone',
  },
  {
    path: 'spec.acme.solvers[].selector.matchLabels',
    verdict: 'honoured',
    does: 'The solver is for certificates that have all these labels.',
    default: 'every certificate',
  },
  {
    path: 'spec.acme.solvers[].waitInsteadOfSelfCheck',
    verdict: 'warned',
    because: 'no self-check is made, the DNS service says when its servers answer',
    remedy: 'Remove it, unless a cluster uses the same manifest.',
  },
  {
    path: 'spec.acme.solvers[].http01',
    verdict: 'refused',
    because: 'http-01 solvers are not built yet',
    remedy: 'Use `dns01`.',
  },
] as const satisfies readonly Field[];
