import { fileURLToPath } from 'node:url';
import type { DnsEndpoint } from '../servers/challenge-dns.ts';

/** The CA that a client talks to, and where it puts its TXT records. */
export interface ClientOptions {
  readonly directoryUrl: string;
  /** What the CA's HTTPS verifies against. */
  readonly caFile: string;
  readonly dns: DnsEndpoint;
  /** What puts records in place, instead of the hook here. */
  readonly hook?: string;
}

export interface CertificateWishes {
  readonly names: readonly string[];
  /** Looks whether the certificate at hand needs renewal, and leaves it if not. */
  readonly onlyIfDue?: boolean;
  readonly profile?: string;
  /** For the account, which is made with the first certificate. `hmac`: base64url. */
  readonly externalAccount?: { readonly kid: string; readonly hmac: string };
}

export interface Obtained {
  /** Leaf first, then its intermediates. */
  readonly fullchainFile: string;
  readonly keyFile: string;
  /** What the client printed. */
  readonly output: string;
}

/** A program with one account, which its first certificate makes. Throws with all that it printed if it fails. */
export interface Client {
  /** Again for the same names: a new certificate with a new key. */
  readonly obtain: (wishes: CertificateWishes) => Promise<Obtained>;
}

export const DNS_HOOK = fileURLToPath(new URL('../hooks/dns-record.ts', import.meta.url));

export const hookEnvironment = ({ url }: DnsEndpoint): NodeJS.ProcessEnv => ({ EVERLEAF_DNS_ENDPOINT: url });
