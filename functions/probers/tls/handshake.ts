import { isIP, connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Endpoint } from '../../core/rollout/ports.ts';
import { toPem } from '../../core/x509/pem.ts';
import { Conversation } from './conversation.ts';
import { START_TLS_DIALOGUES } from './start-tls.ts';

/** What an address showed of itself. */
export interface Shown {
  /** PEM; the leaf, then what it sent beside it, as far as each is signed by the next. */
  readonly certificates: readonly string[];
  /** `TLSv1.3`, and what ALPN chose. */
  readonly protocol: string;
}

/** No chain is longer. */
const MOST_CERTIFICATES = 20;

/**
 * One fresh connection to `address`, a handshake on it, and its end: no data is sent, no session kept or resumed. The address
 * was looked up before, so that no name can lead elsewhere in between. `limit` ends all of it.
 */
export async function handshake(address: string, endpoint: Endpoint, limit: AbortSignal): Promise<Shown> {
  const tcp = connectTcp({ host: address, port: endpoint.port });
  let current: Socket = tcp;
  const end = (): void => void current.destroy(new Error('no complete handshake in time'));
  limit.addEventListener('abort', end, { once: true });
  try {
    if (limit.aborted) throw new Error('no complete handshake in time');
    await connected(tcp);
    if (endpoint.startTls !== undefined) {
      const peer = new Conversation(tcp);
      await START_TLS_DIALOGUES[endpoint.startTls](peer);
      peer.end();
    }
    const tls = connectTls(tlsOptions(tcp, endpoint));
    current = tls;
    const shown = await shownBy(tls);
    // A server is not to count this as a handshake that failed.
    await new Promise<void>((resolve) => tls.once('close', () => resolve()).end(() => resolve()));
    return shown;
  } finally {
    limit.removeEventListener('abort', end);
    // What comes now, or fails, is of no interest. TLS takes its connection along.
    current.on('error', () => undefined).destroy();
  }
}

function tlsOptions(socket: Socket, { host, serverName, alpn }: Endpoint): ConnectionOptions {
  const name = serverName ?? host;
  return {
    socket,
    // SNI has no addresses (RFC 6066 §3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    // The one place where an unverified handshake is finished: what is wrong with a certificate is what we are here to
    // report, `judge` verifies it afterwards, and not a byte of anybody's data goes over the connection.
    rejectUnauthorized: false,
    // Node would complete a chain from its own roots, and hide what the server left out.
    ca: [],
    // Versions before are no longer offered to clients by anybody's policy (RFC 8996).
    minVersion: 'TLSv1.2',
  };
}

/**
 * What a server shows, at the end of the handshake. With TLS 1.2 one that wants to know its clients refuses us before that end, by
 * an alert, and has shown its certificate and signed with its key by then (RFC 5246 §7.4); with TLS 1.3 it refuses us after it.
 */
function shownBy(tls: TLSSocket): Promise<Shown> {
  return new Promise((resolve, reject) => {
    tls.once('secureConnect', () => resolve(readShown(tls)));
    tls.once('error', (error) => {
      const shown = readShown(tls);
      if (shown.certificates.length > 0 && isAlert(error)) resolve(shown);
      else reject(error);
    });
    tls.once('close', () => reject(new Error('it closed the connection')));
  });
}

const isAlert = ({ message }: Error): boolean => /SSL alert number \d+/.test(message);

function readShown(tls: TLSSocket): Shown {
  const certificates: string[] = [];
  let link = tls.getPeerX509Certificate();
  const seen = new Set<string>();
  while (link !== undefined && certificates.length < MOST_CERTIFICATES && !seen.has(link.fingerprint256)) {
    seen.add(link.fingerprint256);
    certificates.push(toPem('CERTIFICATE', link.raw));
    link = link.issuerCertificate;
  }
  const chosen = tls.alpnProtocol;
  return { certificates, protocol: [tls.getProtocol(), chosen].filter((part) => typeof part === 'string').join(', ') };
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it closed the connection')));
  });
}
