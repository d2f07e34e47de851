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
  RevocationReason,
  Usage,
  VerifiedChain,
  VersionId,
} from './certificate.ts';
import type { Announcement, RenewalHint } from './events.ts';
import type { FullAgainAt, OrderLimit } from './order-limit.ts';
import type { CertificateRecord } from './record.ts';
import type { DeployHookSpec, HookRef } from './rollout/hook-spec.ts';
import type { RolloutRecord } from './rollout/record.ts';
import type { Standing } from './standing.ts';
import type { Instant } from './time.ts';

/** Where an adapter is with something that takes time. Nothing here ever sleeps until it is finished. */
export type Step<T> =
  /** `leftover`: what could not be freed yet, for {@link Issuer.abandon} to free later. */
  | { readonly status: 'done'; readonly value: T; readonly leftover?: Ticket }
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
  /** What this certificate takes the place of, where the same issuer signed it (ARI's `replaces`, RFC 9773 §5). */
  readonly replaces?: ReplacedLeaf;
}

export interface ReplacedLeaf {
  readonly leaf: LeafFacts;
  /** As {@link IssuedChain} had it. */
  readonly account?: string;
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
  /** When the CA would like a leaf of its own to be replaced (ARI, RFC 9773). Absent: it never says. */
  renewalInfo?(leaf: LeafFacts): Promise<RenewalInfo>;
  /** Ends a leaf's validity before its time. One that is revoked already is no failure. */
  revoke?(revocation: Revocation): Promise<void>;
}

/** The CA's wish for one leaf, and when it wants to be asked again. */
export interface RenewalInfo {
  /** Undefined: the CA has no wish, or none that makes sense. */
  readonly window: RenewalWindow | undefined;
  readonly checkAfterSeconds: number;
}

/** `suggestedWindow` of RFC 9773 §4.2: renew at an instant in it. */
export interface RenewalWindow {
  readonly start: Instant;
  readonly end: Instant;
  /** A page that says why, for people. */
  readonly explanationUrl?: string;
}

export interface Revocation {
  /** PEM. */
  readonly certificate: string;
  readonly reason: RevocationReason;
  /** Proves the right to revoke where the account is not at hand (RFC 8555 §7.6). */
  readonly certificateKey?: KeyObject;
}

/** A secret by the name a manifest gives it, and the field in it. `namespace` is absent for what belongs to no namespace. */
export interface SecretRef {
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly key: string;
}

/** How a CA knows us: the key that signs our requests, and the accounts that were registered with it, by directory URL. */
export interface CaAccount {
  readonly key: KeyObject;
  readonly urls: Readonly<Record<string, string>>;
}

/**
 * Where issuers keep what identifies them at their CAs, and read what people put there for them. Duties: the first writer's
 * key wins and later ones get that key.
 */
export interface AccountStore {
  read(ref: SecretRef): Promise<CaAccount | undefined>;
  /** Stores a first key. Answers what is stored. */
  create(ref: SecretRef, make: () => Promise<KeyObject>): Promise<CaAccount>;
  /** Notes (or, without `url`, forgets) the account at `directory`. */
  noteUrl(ref: SecretRef, directory: string, url: string | undefined): Promise<void>;
  /** What a person put there. Throws PermanentError `SecretMissing`. */
  readText(ref: SecretRef): Promise<string>;
}

/** What an issuer may use beside its own client. */
export interface IssuerContext {
  readonly accounts: AccountStore;
  readonly clock: () => Instant;
  readonly log: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Control over `identifier` is proved by showing `keyAuthorization` (RFC 8555 §8.1) to the CA. Nothing of it is secret. */
export interface ChallengeResponse {
  /** A DNS name, without the wildcard label. */
  readonly identifier: string;
  readonly keyAuthorization: string;
}

/** Where a response goes, in the solver's own words. Rests in the ledger from before it is made until it is gone. */
export type Placement = Readonly<Record<string, string>>;

/** One way to show responses to a CA, bound to its options. Waits are `waiting` steps. */
export interface ChallengeSolver {
  /** Looks up where a response has to go. Changes nothing. */
  locate(response: ChallengeResponse): Promise<Placement>;
  /** Makes responses visible. Safe to repeat. `done` once the CA can see them. */
  present(placements: readonly Placement[]): Promise<Step<void>>;
  /** Asks once whether the CA can see them by now. */
  check(ticket: Ticket): Promise<Step<void>>;
  /** Takes responses back, also those that were never made. Safe to repeat. */
  cleanUp(placements: readonly Placement[]): Promise<void>;
}

/** A challenge type: its folder, and its line in the catalogue. */
export interface ChallengePlugin<Options> {
  /** As the CA names it (RFC 8555 §9.7.8). */
  readonly type: string;
  /** The solver's field in an issuer document: `dns01`. */
  readonly field: string;
  /** Parses what stands at `path`, where that field is. */
  parse(value: unknown, path: Objection['path']): ParsedOptions<Options>;
  /** True when it can prove control over a name. */
  proves(identifier: 'dns' | 'wildcard' | 'ip'): boolean;
  needs(options: Options): readonly Grant[];
  create(options: Options): Promise<ChallengeSolver>;
}

/** A TXT record of ours. Others of the same name are left alone. */
export interface TxtRecord {
  /** The zone it stands in, as the writer names it. */
  readonly zone: string;
  /** Without a final dot. */
  readonly name: string;
  readonly value: string;
}

/** A DNS service that can be written to. */
export interface DnsWriter {
  /** The zone that `name` is in, by longest match. Throws PermanentError `NoZone`. */
  zoneOf(name: string): Promise<string>;
  /** Throws TransientError `Throttled` where the service wants it slower. */
  add(records: readonly TxtRecord[]): Promise<Step<void>>;
  /** Asks once whether all of the service's servers answer with what was added. */
  check(ticket: Ticket): Promise<Step<void>>;
  remove(records: readonly TxtRecord[]): Promise<void>;
}

/** A DNS service: its file in `dns/`, and its line in the catalogue. */
export interface DnsWriterPlugin<Options> {
  /** Its field in a dns-01 solver: `route53`. */
  readonly field: string;
  readonly summary: string;
  parse(value: unknown, path: Objection['path']): ParsedOptions<Options>;
  /** `names`: patterns that every record's name fits one of. */
  needs(options: Options, names: readonly string[]): readonly Grant[];
  create(options: Options): Promise<DnsWriter>;
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
  /** As {@link IssuedChain} had them. */
  readonly account?: string | undefined;
  readonly offersRenewalInfo?: boolean | undefined;
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
  commit(slot: SecretSlot, chain: VerifiedChain, provenance: Provenance): Promise<StoredVersion>;
  /**
   * Makes `version` the current one if `replaces` (undefined: nothing that was ever issued) still is. Repeating it is
   * harmless. Throws ConflictError `CurrentMoved` when another version of ours has become current meanwhile, PermanentError
   * `SecretChangedElsewhere` when somebody else's has.
   */
  promote(slot: SecretSlot, version: VersionId, replaces: VersionId | undefined): Promise<void>;
  /** What consumers read now; undefined when the secret is absent or holds no bundle yet. */
  current(slot: SecretSlot): Promise<StoredCertificate | undefined>;
  /**
   * The leaf of a version that was current once, PEM. Throws PermanentError `StoredVersionLost` where the store has it no more: it
   * keeps a hundred of them, and those of the last day.
   */
  leaf(slot: SecretSlot, version: VersionId): Promise<string>;
  /** Takes back whatever is pending. What consumers read stays as it is. Safe to repeat. */
  discard(slot: SecretSlot): Promise<void>;
  /** Everything of a complete version but its key. Throws PermanentError `StoredVersionLost` where there is none. */
  publicParts(slot: SecretSlot, version: VersionId): Promise<PublicParts>;
}

/** PEM each. */
export interface PublicParts {
  /** As {@link StoredVersion} has it. */
  readonly ref: string;
  readonly leaf: string;
  /** From the leaf's issuer upwards. */
  readonly intermediates: readonly string[];
  /** Empty where none is known: the gate went as far as the last of `intermediates`. */
  readonly trustAnchors: readonly string[];
}

/** Switches what consumers read, between versions that are complete, and reads none of them. */
export interface VersionSwitch {
  /**
   * Makes `version` the current one if `replaces` still is. Repeating it is harmless. Throws ConflictError `CurrentMoved` when
   * any other version has become current meanwhile, PermanentError `StoredVersionLost` when `version` is no more.
   */
  switchTo(slot: SecretSlot, version: VersionId, replaces: VersionId): Promise<void>;
  /** Throws TransientError `NotReplicated` while a replica that the secret has in `region` is behind. */
  requireReplica(slot: SecretSlot, region: string): Promise<void>;
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
  /** Forgets a record, if `revision` is still its last one. */
  remove(id: CertificateId, revision: number): Promise<void>;
  /** Up to `limit` certificates whose `dueAt` is not after `now`, earliest first within a shard. Reads nothing that is not due. */
  due(now: Instant, limit: number): AsyncIterable<DueCertificate>;
  /** How every certificate that is renewed is doing, in no order: a little of each, however long its ledger. */
  standings(): AsyncIterable<Standing>;
  /** Every record, in no order. For sync and for people, never for a tick. */
  all(): AsyncIterable<Versioned<CertificateRecord>>;
  readRollout(id: CertificateId): Promise<Versioned<RolloutRecord> | undefined>;
  writeRollout(record: RolloutRecord, revision: number | undefined): Promise<number>;
  /** A hook's document as of what it said then. */
  readHook(ref: HookRef): Promise<DeployHookSpec | undefined>;
  /** Kept by what it says: a roll-out that is under way goes on with the text that it began with. Safe to repeat. */
  writeHook(spec: DeployHookSpec): Promise<void>;
  readIssuer(id: IssuerId): Promise<Versioned<IssuerRecord> | undefined>;
  writeIssuer(record: IssuerRecord, revision: number | undefined): Promise<number>;
  /** How far an issuer's budget is spent; undefined when nothing was ever taken. */
  readBudget(id: IssuerId): Promise<FullAgainAt | undefined>;
  /**
   * Takes one order out of an issuer's budget, unless it could be placed after `latest` only. Answers when it may be placed.
   * However many take at the same time, none is given twice.
   */
  takeOrder(
    id: IssuerId,
    limit: OrderLimit,
    times: { readonly now: Instant; readonly latest: Instant },
  ): Promise<{ readonly taken: boolean; readonly placeableAt: Instant }>;
}

/** As much of a record as tells who goes first, without reading it. */
export interface DueCertificate {
  readonly certificate: CertificateId;
  /** True when it is the certificate's roll-out that wants the look. */
  readonly rollout?: true;
  readonly dueAt: Instant;
  /** Set when the look is for an order: who is to sign, and when what is in use ends; never issued, it has no end. */
  readonly order?: { readonly issuer: IssuerId; readonly expiresAt: Instant | undefined };
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
  /** Parses an issuer document; throws nothing, reports issues by path. */
  parse(document: IssuerDocument): ParsedOptions<Options>;
  /** What it cannot sign, found before anything runs. */
  objections(options: Options, certificate: CertificateSpec): readonly Objection[];
  /** Extended key usages that its certificates may carry although nobody asked. */
  readonly uninvitedUsages: readonly Usage[];
  /** Key usages that its certificates may lack although somebody asked. */
  readonly withheldUsages: readonly Usage[];
  /** True when its certificates never outlive what was asked for. */
  readonly honoursNotAfter: boolean;
  /** How many orders its CAs take by default; absent: no limit that is known. */
  readonly orderLimit?: OrderLimit;
  /** IAM statements its calls want. */
  needs(options: Options): readonly Grant[];
  /** Loads the client and connects it. */
  create(options: Options, context: IssuerContext): Promise<Issuer>;
}

export interface IssuerDocumentKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly scope: 'Namespaced' | 'Cluster';
  /** The field of `spec` by which the document is this plug-in's, where several share its kind: `acme`. */
  readonly field?: string;
}

/** An issuer as somebody wrote it down. */
export interface IssuerDocument {
  readonly spec: unknown;
  /** Absent for kinds of the whole cluster. */
  readonly namespace: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** The text of a file beside the document, by its relative path; undefined where there is none. */
  readonly fileBeside: (path: string) => string | undefined;
}

/** A secret that an issuer keeps or reads; `path` leads to its name in the issuer's document. No certificate may have it. */
export interface IssuerSecret {
  readonly ref: SecretRef;
  readonly path: Objection['path'];
}

export type ParsedOptions<Options> =
  | {
      readonly ok: true;
      readonly options: Options;
      /** Warnings, which keep nothing from being deployed. */
      readonly remarks?: readonly Objection[];
      readonly secrets?: readonly IssuerSecret[];
    }
  | { readonly ok: false; readonly objections: readonly Objection[] };
