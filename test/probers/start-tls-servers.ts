import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { StartTls } from '../../functions/core/rollout/ports.ts';

/** Says its part until TLS is agreed on; then `secure` is called. */
type Side = (socket: Socket, secure: () => void) => void;

/** Waits for one message of the client, and answers it. */
const answering =
  (steps: readonly [expected: RegExp, answer: string | Uint8Array][], secure: () => void) =>
  (socket: Socket): void => {
    const [first, ...rest] = steps;
    if (first === undefined) return secure();
    socket.once('data', (data) => {
      if (!first[0].test(data.toString('latin1')))
        return void socket.destroy(new Error(`not expected: ${String(data)}`));
      if (rest.length === 0) {
        // Nothing of TLS is read before its side is there.
        socket.pause();
        socket.write(first[1], () => secure());
      } else {
        answering(rest, secure)(socket);
        socket.write(first[1]);
      }
    });
  };

/** `Protocol::HandshakeV10` of a MySQL with these lower capabilities. */
export function mysqlGreeting(capabilities: number): Buffer {
  const version = Buffer.from('8.4.0\0');
  const payload = Buffer.alloc(1 + version.length + 4 + 8 + 1 + 2 + 20);
  payload.writeUInt8(10, 0);
  version.copy(payload, 1);
  payload.writeUInt16LE(capabilities, 1 + version.length + 13);
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}

const SIDES: Readonly<Record<StartTls, Side>> = {
  smtp: (socket, secure) => {
    const capabilities = '250-mail.example\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 HELP\r\n';
    answering(
      [
        [/^EHLO \S+\r\n$/, capabilities],
        [/^STARTTLS\r\n$/, '220 go ahead\r\n'],
      ],
      secure,
    )(socket);
    socket.write('220-mail.example\r\n220 ready\r\n');
  },
  imap: (socket, secure) => {
    answering([[/^a1 STARTTLS\r\n$/, '* CAPABILITY IMAP4rev2\r\na1 OK begin\r\n']], secure)(socket);
    socket.write('* OK ready\r\n');
  },
  postgres: (socket, secure) => {
    // oxlint-disable-next-line no-control-regex -- the request is binary
    answering([[/^\x00\x00\x00\x08\x04\xd2\x16\x2f$/, 'S']], secure)(socket);
  },
  mysql: (socket, secure) => {
    socket.write(mysqlGreeting(0xffff));
    const chunks: Buffer[] = [];
    const take = (): void => {
      const request: unknown = socket.read(36);
      if (!(request instanceof Buffer)) return;
      chunks.push(request);
      socket.off('readable', take);
      const isRequest = request.readUIntLE(0, 3) === 32 && request[3] === 1 && (request.readUInt32LE(4) & 0x800) !== 0;
      if (isRequest) secure();
      else socket.destroy();
    };
    socket.on('readable', take);
  },
};

/** A server side of this protocol that switches to TLS when asked. */
export const startTlsServer =
  (protocol: StartTls, options: TLSSocketOptions) =>
  (socket: Socket): void =>
    SIDES[protocol](socket, () => {
      new TLSSocket(socket, { ...options, isServer: true }).on('error', () => undefined);
    });
