import { connect } from 'node:tls';
import { isIP } from 'node:net';

/** What one client connects to, as it would in earnest. */
export interface LoadTarget {
  /** For people. */
  readonly name: string;
  /** Of 127.0.0.1. */
  readonly port: number;
  /** SNI, and what the leaf has to be for. */
  readonly serverName: string;
  /** PEM: what the client trusts, and nothing else. */
  readonly trustAnchors: readonly string[];
}

/** When one leaf was seen, by the ends of handshakes: milliseconds since the epoch. */
export interface LeafSeen {
  readonly sha256Fingerprint: string;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly handshakes: number;
}

/** What came of the handshakes so far. */
export interface Tally {
  readonly total: number;
  readonly failed: number;
  /** Why, the first ones: `name: reason`. */
  readonly failures: readonly string[];
  /** By the target's name; in the order in which leaves were first seen. */
  readonly leaves: Readonly<Record<string, readonly LeafSeen[]>>;
}

const FAILURES_KEPT = 20;
const TIMEOUT_MS = 10_000;

/**
 * Clients that connect anew as soon as they are done, several at each target. No session is resumed. One that is refused, cut
 * off, or shown what it cannot verify (untrusted, expired, for another name), has failed.
 */
export class Handshakes {
  readonly #targets: readonly LoadTarget[];
  readonly #leaves = new Map<string, Map<string, LeafSeen>>();
  readonly #failures: string[] = [];
  readonly #loops: readonly Promise<void>[];
  #total = 0;
  #failed = 0;
  #isStopped = false;

  constructor(targets: readonly LoadTarget[], atATime: number) {
    this.#targets = targets;
    this.#loops = targets.flatMap((target) => Array.from({ length: atATime }, () => this.#loop(target)));
  }

  get tally(): Tally {
    const leaves = [...this.#leaves].map(([name, seen]) => [name, [...seen.values()]] as const);
    return {
      total: this.#total,
      failed: this.#failed,
      failures: this.#failures,
      leaves: Object.fromEntries(leaves),
    };
  }

  /** One more handshake with each target, begun from now on. */
  async lap(): Promise<Tally> {
    await Promise.all(this.#targets.map((target) => this.#shakeHands(target)));
    return this.tally;
  }

  async stop(): Promise<Tally> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
    return this.tally;
  }

  async #loop(target: LoadTarget): Promise<void> {
    while (!this.#isStopped) await this.#shakeHands(target);
  }

  async #shakeHands(target: LoadTarget): Promise<void> {
    try {
      this.#saw(target, await leafServedTo(target));
    } catch (error) {
      this.#failed += 1;
      const why = error instanceof Error ? error.message : String(error);
      if (this.#failures.length < FAILURES_KEPT) this.#failures.push(`${target.name}: ${why}`);
    } finally {
      this.#total += 1;
    }
  }

  #saw({ name }: LoadTarget, sha256Fingerprint: string): void {
    const seen = this.#leaves.get(name) ?? new Map<string, LeafSeen>();
    this.#leaves.set(name, seen);
    const lastSeenAt = Date.now();
    const { firstSeenAt = lastSeenAt, handshakes = 0 } = seen.get(sha256Fingerprint) ?? {};
    seen.set(sha256Fingerprint, { sha256Fingerprint, firstSeenAt, lastSeenAt, handshakes: handshakes + 1 });
  }
}

/** One verified handshake, and the connection's end in good order. */
function leafServedTo({ port, serverName, trustAnchors }: LoadTarget): Promise<string> {
  return new Promise((resolve, reject) => {
    let fingerprint: string | undefined;
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: [...trustAnchors],
      minVersion: 'TLSv1.2',
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')));
    socket.once('secureConnect', () => {
      fingerprint = socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase();
      socket.end();
    });
    socket.once('error', reject);
    // What the server still sends is let go by, so that its end is seen.
    socket.resume();
    socket.once('close', () =>
      fingerprint === undefined ? reject(new Error('it closed the connection')) : resolve(fingerprint),
    );
  });
}
