import type { CertificateId, VersionId } from '../certificate.ts';
import type { Grant, Objection, ParsedOptions, Step, Ticket } from '../ports.ts';
import type { Instant } from '../time.ts';

/** One version of one certificate, as it is to be served. Nothing secret. */
export interface Release {
  readonly certificate: CertificateId;
  readonly generation: number;
  readonly version: VersionId;
  /** The secret's full ARN. */
  readonly ref: string;
  /** SHA-256 of the leaf's DER, lower-case hexadecimal: what a prober compares. */
  readonly sha256Fingerprint: string;
  readonly notAfter: Instant;
}

/** `rollback` brings an earlier version back; a hook does the same for both, and says in its target which it was. */
export type DeployIntent = 'deploy' | 'rollback';

export interface DeployRequest {
  /** The same for every repeat of one deployment of one version; another one for its roll-back. */
  readonly rolloutId: string;
  readonly intent: DeployIntent;
  readonly release: Release;
}

/** Where a target can be asked what it serves, one instance at a time. */
export interface Instance {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

/** What a hook knows when its target says that it is done. */
export interface Deployed {
  /** True when the target itself reports that nothing runs with an older version any more. */
  readonly replacedAll: boolean;
  /** Every instance that runs now, where the target can list them. */
  readonly instances?: readonly Instance[];
}

/**
 * Brings a version to one target: a service, a workload. Duties: repeating `start` for one request deploys once; never waits
 * in place, but answers `waiting`; a target that ends in any other state than the one asked for is a PermanentError
 * (`DeploymentUndone` where the target itself took the deployment back, `TargetMissing` where it is gone), never success.
 */
export interface DeployHook {
  /** The Region in which its target reads the secret, where that is another one than ours. */
  readonly readsIn?: string;
  start(request: DeployRequest): Promise<Step<Deployed>>;
  /** Asks once how the deployment that `ticket` names is doing. */
  check(request: DeployRequest, ticket: Ticket): Promise<Step<Deployed>>;
}

/** A bundle as consumers read it: PEM by its field, `tls.crt`, `tls.key`, `ca.crt`. Only for hooks whose target is written to. */
export type KeyedBundle = Readonly<Record<'tls.crt' | 'tls.key' | 'ca.crt', string>>;

/** What a hook may use beside its own client. */
export interface HookContext {
  readonly clock: () => Instant;
  readonly log: (message: string, facts: Readonly<Record<string, unknown>>) => void;
  /** Reads the release's bundle with its key. Absent for hooks that do not declare `writesKeys`. */
  readonly readBundle?: (release: Release) => Promise<KeyedBundle>;
}

/** One thing that a hook document names: the unit of waves, of concurrency, and of blame. */
export interface HookTarget<Options> {
  /** Unique within its document, for people: `ecs:prod/checkout`. */
  readonly name: string;
  readonly options: Options;
}

/** A kind of target: its folder in `hooks/`, and its line in the catalogue. Loading it must not load its client. */
export interface HookPlugin<Options> {
  /** Its field in a DeployHook document: `ecs`. */
  readonly kind: string;
  readonly summary: string;
  /** True when the target itself is given the key, and the deploy function therefore has to read it. */
  readonly writesKeys: boolean;
  /** Parses what stands at `path`, where that field is; throws nothing. */
  parse(value: unknown, path: Objection['path']): ParsedOptions<readonly HookTarget<Options>[]>;
  /** IAM statements its calls want. */
  needs(targets: readonly HookTarget<Options>[]): readonly Grant[];
  /** Loads the client and connects it. */
  create(options: Options, context: HookContext): Promise<DeployHook>;
}

/** Protocols that begin in clear and switch to TLS when asked. */
export const START_TLS = ['smtp', 'imap', 'postgres', 'mysql'] as const;
export type StartTls = (typeof START_TLS)[number];

/** Where a certificate is served. */
export interface Endpoint {
  /** A DNS name, every address of which is asked, or an IP address. */
  readonly host: string;
  readonly port: number;
  /** SNI; absent: `host`, where that is a name. */
  readonly serverName?: string | undefined;
  /** Offered by ALPN (RFC 7301), in this order. */
  readonly alpn?: readonly string[] | undefined;
  readonly startTls?: StartTls | undefined;
  /** Addresses of this very machine may be asked. */
  readonly allowLoopback?: boolean | undefined;
}

/** What an endpoint is to serve, and how a client with the intended trust anchors would judge it. */
export interface Expectation {
  /** Of the leaf's DER, lower-case hexadecimal. */
  readonly sha256Fingerprint: string;
  /** PEM; empty where none is known: then a chain holds that ends at a public root, or shows `topOfChain` and holds up to it. */
  readonly trustAnchors: readonly string[];
  /** PEM. What clients of a CA of one's own trust is known to them alone, and issued this, or is this. */
  readonly topOfChain?: string | undefined;
  /** Names that clients know the endpoint by; absent: its own. */
  readonly serverNames?: readonly string[];
  readonly now: Instant;
}

/**
 * `served`: the leaf that was expected, with a chain that holds. `otherLeaf`: a leaf, another one. `badChain`: the leaf that was
 * expected, and no client would trust it. `unreachable`: no TLS to be had. `refused`: an address that is never asked.
 */
export type Verdict = 'served' | 'otherLeaf' | 'badChain' | 'unreachable' | 'refused';

/** What one address answered to one connection. */
export interface ProbeResult {
  readonly endpoint: Endpoint;
  /** An IP address; the host where none could be found. */
  readonly address: string;
  readonly verdict: Verdict;
  /** Of the leaf that was served. */
  readonly sha256Fingerprint?: string;
  /** For people. */
  readonly detail: string;
  /** What else is known of who answered: the protocol that ALPN chose, say. */
  readonly servedBy?: string;
}

/** Asks what is served. Duties: a fresh connection each, no data sent, bounded in time; throws nothing that an endpoint caused. */
export interface Prober {
  /** One result an address. */
  probe(endpoint: Endpoint, expectation: Expectation): Promise<readonly ProbeResult[]>;
}
