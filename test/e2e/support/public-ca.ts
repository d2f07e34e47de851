import { Peers } from '../../peers/peers.ts';
import { type ChallengeDns, startChallengeDns } from '../../peers/servers/challenge-dns.ts';
import { type Pebble, startPebble } from '../../peers/servers/pebble.ts';

const DAY_SECONDS = 86_400;
/** 160 hours, as Let's Encrypt's profile of that name. */
export const SHORT_LIVED_SECONDS = 576_000;
/** Who asks for none gets any of them: Pebble throws dice. */
const PROFILES = {
  classic: { description: 'Ninety days', validityPeriod: 90 * DAY_SECONDS },
  shortlived: { description: 'Six days and a half', validityPeriod: SHORT_LIVED_SECONDS },
};

/** Pebble, in place of Let's Encrypt, and the DNS server that it asks. */
export class PublicCa {
  readonly dns: ChallengeDns;
  readonly directoryUrl: string;
  readonly caFile: string;
  readonly #peers: Peers;
  readonly #pebble: Pebble;

  private constructor(peers: Peers, dns: ChallengeDns, pebble: Pebble) {
    this.dns = dns;
    this.directoryUrl = pebble.directoryUrl;
    this.caFile = pebble.caFile;
    this.#peers = peers;
    this.#pebble = pebble;
  }

  static async start(): Promise<PublicCa> {
    const peers = new Peers();
    const dns = await startChallengeDns(peers);
    const pebble = await startPebble(peers, { dnsServer: dns.dnsServer, maxSleepSeconds: 1, profiles: PROFILES });
    return new PublicCa(peers, dns, pebble);
  }

  /** Serial numbers of every certificate it ever signed, fetched or not. */
  get issued(): readonly string[] {
    return [...this.#pebble.log().matchAll(/Issued certificate serial (\w+) /g)].flatMap(([, serial]) => serial ?? []);
  }

  /** PEM. */
  async roots(): Promise<string> {
    return (await this.#pebble.roots()).join('\n');
  }

  stop(): Promise<void> {
    return this.#peers.stop();
  }
}
