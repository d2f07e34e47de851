import type { KeyObject } from 'node:crypto';
import type { CircuitBreaker } from './breaker.ts';
import type {
  AttemptId,
  CertificateId,
  CertificateSpec,
  IssuedChain,
  IssuerId,
  IssuerRef,
  IssuerSpec,
  LeafFacts,
  OutputFormat,
  Usage,
  VersionId,
} from './certificate.ts';
import type { Announcement, RenewalHint } from './events.ts';
import type { CertificateRecord } from './record.ts';
import type { Instant } from './time.ts';

/** Where an adapter is with something that takes time. Nothing here ever sleeps until it is finished. */
export type Step<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'waiting'; readonly ticket: Ticket; readonly checkAfterSeconds: number };

/** What an issuer needs to find its order again: URLs or ARNs, never a secret. Kept in the ledger. */
export type Ticket = Readonly<Record<string, string>>;

/** All that a CA is told. Fixed in the ledger before the call, so that a repeat asks for the very same thing. */
export interface SigningRequest {
  readonly attempt: AttemptId;
  readonly certificate: CertificateSpec;
  /** PKCS#10, PEM. */
  readonly csr: string;
  /** The latest expiry wanted. The CA may give less. */
  readonly notAfter: Instant;
}

/**
 * A certificate authority. Implementations throw {@link EverleafError}s only for failures; a wait that the CA asks for is a
 * `waiting` step.
 */
export interface Issuer {
  /** Places the order. Repeating it for one attempt must not order twice where the CA offers any way to avoid it. */
  start(request: SigningRequest): Promise<Step<IssuedChain>>;
  /** Asks once how the order that `ticket` names is doing. */
  check(request: SigningRequest, ticket: Ticket): Promise<Step<IssuedChain>>;
  /** Frees what the order holds at the CA and elsewhere. Safe to repeat. */
  abandon(ticket: Ticket): Promise<void>;
}

/** A private key that can be used and not seen. */
export interface KeyHandle {
  readonly publicKey: KeyObject;
  /** Signs with SHA-256 (ECDSA signatures in DER, RSA as PKCS#1 v1.5), as PKCS#10 wants it. */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** What is known of a complete version as consumers read it. */
export interface StoredCertificate {
  readonly version: VersionId;
  readonly provenance: Provenance;
}

/** Non-secret facts that rest beside the key, so that a lost inventory can be rebuilt from the store. */
export interface Provenance {
  readonly certificate: CertificateId;
  readonly attempt: AttemptId;
  readonly generation: number;
  readonly issuerRef: IssuerRef;
  readonly specDigest: string;
  readonly issuedAt: Instant;
  readonly leaf: LeafFacts;
}

/** The certificate's place in the store: which secret, and whose. */
export interface SecretSlot {
  readonly certificate: CertificateId;
  readonly secretName: string;
  /** Forms in which `commit` writes the key beside `tls.key`. */
  readonly outputFormats?: readonly OutputFormat[];
}

/**
 * Leases, stages and swaps keys and bundles. Duties: the first writer of an attempt's key wins and later ones get that key;
 * a bundle is complete or absent; a secret that carries another owner's mark is refused with `SecretNotOurs`.
 */
export interface SecretStore {
  /** Makes the attempt's key durable under a field that consumers never read. */
  stageKey(slot: SecretSlot, attempt: AttemptId, make: () => Promise<KeyObject>): Promise<KeyHandle>;
  /**
   * Writes the complete bundle as pending. Repeating it gives the same version. Throws PermanentError `KeyMismatch` when the
   * leaf is not for the attempt's staged key.
   */
  commit(slot: SecretSlot, chain: IssuedChain, provenance: Provenance): Promise<StoredVersion>;
  /**
   * Makes `version` the current one if `replaces` (undefined: nothing that was ever issued) still is. Repeating it is
   * harmless. Throws ConflictError `CurrentMoved` when another version of ours has become current meanwhile, PermanentError
   * `SecretChangedElsewhere` when somebody else's has.
   */
  promote(slot: SecretSlot, version: VersionId, replaces: VersionId | undefined): Promise<void>;
  /** What consumers read now; undefined when the secret is absent or holds no bundle yet. */
  current(slot: SecretSlot): Promise<StoredCertificate | undefined>;
  /** Takes back whatever is pending. What consumers read stays as it is. Safe to repeat. */
  discard(slot: SecretSlot): Promise<void>;
}

export interface StoredVersion {
  readonly version: VersionId;
  /** The secret's full ARN, or what else consumers find it by. */
  readonly ref: string;
}

/** A stored value with the number of its last write, which the next write must name. */
export interface Versioned<T> {
  readonly value: T;
  readonly revision: number;
}

/** The truth about every certificate. Writes are conditional: whoever read an older revision gets a ConflictError. */
export interface Inventory {
  read(id: CertificateId): Promise<Versioned<CertificateRecord> | undefined>;
  /** `revision` undefined: the record must not exist yet. Answers the revision written. */
  write(record: CertificateRecord, revision: number | undefined): Promise<number>;
  /** Up to `limit` ids whose `dueAt` is not after `now`, earliest first within a shard. Reads nothing that is not due. */
  due(now: Instant, limit: number): AsyncIterable<CertificateId>;
  /** Every record, in no order. For sync and for people, never for a tick. */
  all(): AsyncIterable<Versioned<CertificateRecord>>;
  readIssuer(id: IssuerId): Promise<Versioned<IssuerRecord> | undefined>;
  writeIssuer(record: IssuerRecord, revision: number | undefined): Promise<number>;
}

/** An issuer as the inventory knows it: what the manifest says, and how it has been behaving. */
export interface IssuerRecord {
  readonly id: IssuerId;
  readonly spec: IssuerSpec;
  readonly breaker: CircuitBreaker;
}

/** Where things that happened are told. At least once; never a key. */
export interface EventBus {
  publish(announcements: readonly Announcement[]): Promise<void>;
}

/** Asks for another look at a certificate after a while. Only a hint: the schedule looks anyway. */
export interface HintQueue {
  later(hint: RenewalHint, delaySeconds: number): Promise<void>;
}

/** A statement for an IAM role, as a plug-in needs it. */
export interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Something in a certificate that an issuer cannot do. `path` leads into the Certificate document. */
export interface Objection {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly remedy: string;
}

/** An issuer kind: one file in `issuers/`, one line in the catalogue. Loading it must not load its client. */
export interface IssuerPlugin<Options> {
  readonly kind: string;
  readonly summary: string;
  /** The documents that declare it. */
  readonly documents: readonly IssuerDocumentKind[];
  /** Parses an issuer document's `spec`; throws nothing, reports issues by path. */
  parse(spec: unknown): ParsedOptions<Options>;
  /** What it cannot sign, found before anything runs. */
  objections(options: Options, certificate: CertificateSpec): readonly Objection[];
  /** Extended key usages that its certificates may carry although nobody asked. */
  readonly uninvitedUsages: readonly Usage[];
  /** True when its certificates never outlive what was asked for. */
  readonly honoursNotAfter: boolean;
  /** IAM statements its calls want. */
  needs(options: Options): readonly Grant[];
  /** Loads the client and connects it. */
  create(options: Options): Promise<Issuer>;
}

export interface IssuerDocumentKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly scope: 'Namespaced' | 'Cluster';
}

export type ParsedOptions<Options> =
  { readonly ok: true; readonly options: Options } | { readonly ok: false; readonly objections: readonly Objection[] };
