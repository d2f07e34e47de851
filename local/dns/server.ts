import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket as Connection } from 'node:net';
import { type DecodedPacket, decode, encode, type Packet, streamEncode, TRUNCATED_RESPONSE } from 'dns-packet';
import type { Resolution } from '../services/route53/resolve.ts';
import { answerTo, payloadSizeOf } from './answer.ts';

const LOOPBACK = '127.0.0.1';
/** A TCP port that is free may be taken for UDP. */
const MOST_ATTEMPTS = 20;

export interface DnsQuery {
  /** Lower case, without a final dot. */
  readonly name: string;
  readonly type: string;
  readonly at: number;
}

/** The name servers of all hosted zones in one, over UDP and TCP, on loopback only. */
export class DnsServer {
  readonly queries: DnsQuery[] = [];
  /** While set, says of a name (lower case, no final dot) whether it is answered with SERVFAIL. */
  failing: ((name: string) => boolean) | undefined;
  readonly #answers: (name: string, type: string) => Resolution | undefined;
  readonly #now: () => number;
  readonly #connections = new Set<Connection>();
  readonly #tcp = createServer((connection) => this.#converse(connection));
  #udp: Socket | undefined;

  constructor(answers: (name: string, type: string) => Resolution | undefined, now: () => number) {
    this.#answers = answers;
    this.#now = now;
  }

  async listen(port = 0): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await once(this.#tcp.listen(port, LOOPBACK), 'listening');
      const udp = createSocket('udp4', (message, { port, address }) => {
        const answer = this.#answer(message);
        if (answer !== undefined) udp.send(answer, port, address);
      });
      try {
        udp.bind(this.port, LOOPBACK);
        await once(udp, 'listening');
        this.#udp = udp;
        return;
      } catch (error) {
        udp.close();
        await new Promise((resolve) => this.#tcp.close(resolve));
        if (port !== 0 || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  get port(): number {
    return (this.#tcp.address() as AddressInfo).port;
  }

  /** As `dns.setServers` takes it. */
  get address(): string {
    return `${LOOPBACK}:${this.port}`;
  }

  async close(): Promise<void> {
    // It may never have got its port.
    if (!this.#tcp.listening) return;
    const closed = new Promise((resolve) => this.#tcp.close(resolve));
    for (const connection of this.#connections) connection.destroy();
    this.#udp?.close();
    this.#udp = undefined;
    await closed;
  }

  /** What does not fit is left out, and the TC bit sends whoever asked to TCP. */
  #answer(message: Buffer): Buffer | undefined {
    const query = read(message);
    const packet = query && this.#respond(query);
    if (query === undefined || packet === undefined) return undefined;
    const whole = encode(packet);
    if (whole.length <= payloadSizeOf(query)) return whole;
    return encode({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] });
  }

  /** Each message is behind its length, in two bytes (RFC 1035, 4.2.2). */
  #converse(connection: Connection): void {
    this.#connections.add(connection);
    connection.on('close', () => this.#connections.delete(connection));
    // Whoever went away needs no answer.
    connection.on('error', () => connection.destroy());
    let unread = Buffer.alloc(0);
    connection.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 2 && unread.length >= 2 + unread.readUInt16BE(0)) {
        const end = 2 + unread.readUInt16BE(0);
        const query = read(unread.subarray(2, end));
        const packet = query && this.#respond(query);
        if (packet !== undefined) connection.write(streamEncode(packet));
        unread = unread.subarray(end);
      }
    });
  }

  #respond(query: DecodedPacket): Packet | undefined {
    return answerTo(query, (asked, type) => {
      const name = asked.toLowerCase();
      this.queries.push({ name, type, at: this.#now() });
      return this.failing?.(name) === true ? 'failure' : this.#answers(asked, type);
    });
  }
}

/** Garbage is not answered. */
function read(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}
