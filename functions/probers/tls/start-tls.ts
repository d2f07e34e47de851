import type { StartTls } from '../../core/rollout/ports.ts';
import type { Conversation } from './conversation.ts';

/** Says what it takes until the other side agrees to TLS. Throws where it does not. */
export const START_TLS_DIALOGUES: Readonly<Record<StartTls, (peer: Conversation) => Promise<void>>> = {
  /** RFC 3207. */
  smtp: async (peer) => {
    expectReply(await readReply(peer), '220', 'greets with');
    peer.write('EHLO localhost\r\n');
    const capabilities = await readReply(peer);
    expectReply(capabilities, '250', 'answers EHLO with');
    if (!/^250[ -]STARTTLS\s*$/im.test(capabilities)) throw new Error('its SMTP offers no STARTTLS');
    peer.write('STARTTLS\r\n');
    expectReply(await readReply(peer), '220', 'answers STARTTLS with');
  },
  /** RFC 9051 §6.2.1. */
  imap: async (peer) => {
    expectReply(await readLine(peer), '* OK', 'greets with');
    peer.write('a1 STARTTLS\r\n');
    // Untagged answers may come before the one that is meant.
    let line = await readLine(peer);
    while (line.startsWith('* ')) line = await readLine(peer);
    expectReply(line, 'a1 OK', 'answers STARTTLS with');
  },
  /** PostgreSQL's SSLRequest (Frontend/Backend Protocol §54.7). */
  postgres: async (peer) => {
    const request = Buffer.alloc(8);
    request.writeInt32BE(request.length, 0);
    request.writeInt32BE(80_877_103, 4);
    peer.write(request);
    const answer = (await peer.read(() => 1)).toString('latin1');
    if (answer !== 'S')
      throw new Error(`its PostgreSQL answers ${JSON.stringify(answer)} to SSLRequest, which is no yes`);
  },
  /** MySQL's Protocol::SSLRequest, which comes in the place of the client's handshake response. */
  mysql: async (peer) => {
    const packet = await peer.read((received) => (received.length < 4 ? undefined : 4 + received.readUIntLE(0, 3)));
    const refusal = refusalIn(packet);
    if (refusal !== undefined) throw new Error(`its MySQL refuses this client: ${refusal}`);
    if (!offersTls(packet)) throw new Error('its MySQL offers no TLS');
    peer.write(sslRequest());
  },
};

const CLIENT_PROTOCOL_41 = 0x0200;
const CLIENT_SSL = 0x0800;
const CLIENT_SECURE_CONNECTION = 0x8000;

/** Protocol::HandshakeV10: version, a text that ends in zero, thread id, eight bytes of salt, zero, the lower capabilities. */
function offersTls(packet: Buffer): boolean {
  const payload = packet.subarray(4);
  const end = payload.indexOf(0, 1);
  const at = end + 1 + 4 + 8 + 1;
  return payload[0] === 10 && end > 0 && at + 2 <= payload.length && (payload.readUInt16LE(at) & CLIENT_SSL) !== 0;
}

/** An ERR_Packet in the place of the greeting: 1129, of a host that is locked out. Its code, then words. */
function refusalIn(packet: Buffer): string | undefined {
  const payload = packet.subarray(4);
  if (payload[0] !== 0xff || payload.length < 3) return undefined;
  return `error ${payload.readUInt16LE(1)} ${payload.subarray(3, 3 + 200).toString('latin1')}`;
}

function sslRequest(): Buffer {
  const [headerBytes, bodyBytes, utf8mb4] = [4, 32, 45];
  const request = Buffer.alloc(headerBytes + bodyBytes);
  request.writeUIntLE(bodyBytes, 0, 3);
  // The sequence number that follows the server's.
  request.writeUInt8(1, 3);
  request.writeUInt32LE(CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION, 4);
  request.writeUInt32LE(0xff_ff_ff, 8);
  request.writeUInt8(utf8mb4, 12);
  return request;
}

const endOfLine = (received: Buffer, from = 0): number | undefined => {
  const at = received.indexOf('\n', from);
  return at === -1 ? undefined : at + 1;
};

const readLine = async (peer: Conversation): Promise<string> =>
  (await peer.read((received) => endOfLine(received))).toString('latin1');

/** One or more lines, the last of which has a space after its code (RFC 5321 §4.2.1). */
const readReply = async (peer: Conversation): Promise<string> => {
  const reply = await peer.read((received) => {
    for (let from = 0, end = endOfLine(received); end !== undefined; from = end, end = endOfLine(received, from)) {
      if (received[from + 3] !== 0x2d) return end;
    }
    return undefined;
  });
  return reply.toString('latin1');
};

function expectReply(reply: string, wanted: string, doing: string): void {
  if (reply.startsWith(wanted)) return;
  throw new Error(`it ${doing} ${JSON.stringify(reply.slice(0, 80).trimEnd())}, not with ${JSON.stringify(wanted)}`);
}
