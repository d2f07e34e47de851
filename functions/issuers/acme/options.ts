import type { SecretRef } from '../../core/ports.ts';

/** What an `acme` issuer document comes to, defaults filled in. Rests in the inventory: nothing in it is secret. */
export interface AcmeOptions {
  /** Directory URL, `https:`. */
  readonly server: string;
  readonly email?: string;
  /** PEM certificates that the server's TLS is verified against, instead of the platform's. */
  readonly caBundle?: string;
  /** Where URLs from the CA may lead beside the directory's own host: `host` or `host:port`. */
  readonly hosts: readonly string[];
  readonly accountKey: SecretRef;
  /** False: the account key has to be there, put in place by a person. */
  readonly makesAccountKey: boolean;
  readonly externalAccountBinding?: { readonly keyId: string; readonly secret: SecretRef };
  readonly profile?: string;
  /** Common name of the issuer that the top of the wanted chain names. */
  readonly preferredChain?: string;
  /** Asks the CA for the manifest's duration. */
  readonly sendsNotAfter: boolean;
  /** `public`: the platform's own roots. A list: PEM certificates. */
  readonly trustAnchors: 'topOfChain' | 'public' | readonly string[];
  /** In the document's order. */
  readonly solvers: readonly SolverOptions[];
}

/** For which names a solver is, and how it proves control over them. */
export interface SolverOptions {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly dnsNames: readonly string[];
  readonly dnsZones: readonly string[];
  /** The challenge plug-in's `field`. */
  readonly challenge: string;
  /** As that plug-in parsed them. */
  readonly options: unknown;
}
