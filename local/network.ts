import { isIPv4 } from 'node:net';

/** Addresses that RFC 5737 keeps for documentation: nobody is there, so none is ever meant in earnest. */
const STAND_IN_NETWORK = '192.0.2.';
const MOST_STAND_INS = 254;

export interface StandIn {
  /** What lookups answer. */
  readonly address: string;
  /** On 127.0.0.1, where connections to that address end, whatever port was asked for. */
  readonly port: number;
}

/** What a worker gets to know of the world. */
export interface NetworkSettings {
  /** `address:port`. */
  readonly dnsServer: string;
  /** By name. */
  readonly standIns: ReadonlyMap<string, StandIn>;
  readonly roots: readonly string[];
}

/**
 * The internet, as functions see it: stand-ins on loopback under the names of real hosts, the twin's own DNS server, and
 * nothing else. A worker is told when it is spawned; what is added later it does not see.
 */
export class Network {
  readonly #standIns = new Map<string, StandIn>();
  readonly #roots: string[] = [];
  readonly #dnsServer: () => string;

  constructor(dnsServer: () => string) {
    this.#dnsServer = dnsServer;
  }

  /** From now on `host`, a name or an IPv4 address, is what listens on 127.0.0.1 at `port`. */
  standIn(host: string, port: number): void {
    const name = host.toLowerCase();
    const known = this.#standIns.get(name);
    const number = this.#standIns.size + 1;
    if (known === undefined && number > MOST_STAND_INS) {
      throw new RangeError(`the twin stands in for ${MOST_STAND_INS} hosts, and for no more`);
    }
    const address = isIPv4(name) ? name : (known?.address ?? `${STAND_IN_NETWORK}${number}`);
    this.#standIns.set(name, { address, port });
  }

  /** A trust anchor in PEM, beside those that Node comes with. */
  trust(pem: string): void {
    this.#roots.push(pem);
  }

  get settings(): NetworkSettings {
    return { dnsServer: this.#dnsServer(), standIns: this.#standIns, roots: this.#roots };
  }
}
