import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type Server } from 'node:tls';

/** What a program needs of a bundle to serve it, PEM each. */
export interface KeyedCertificate {
  /** The leaf, then what links it to an anchor. */
  readonly certificate: string;
  readonly key: string;
}

/** A process that really listens with TLS, on loopback, and holds its certificate until it is given another. */
export class TlsProcess {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
  }

  /** Throws when key and certificate are no pair. With `select`, that is asked at every handshake that names its server instead. */
  static async start(held: KeyedCertificate, select?: (serverName: string) => KeyedCertificate): Promise<TlsProcess> {
    const server = createServer({
      key: held.key,
      cert: held.certificate,
      ...(select === undefined ? {} : { SNICallback: selecting(select) }),
    });
    const started = new TlsProcess(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return started;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What is connected is served to its end, as a load balancer drains a target. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Whatever is connected, too. */
  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.stop();
  }
}

const selecting =
  (select: (serverName: string) => KeyedCertificate) =>
  (name: string, answer: (error: Error | null, context?: SecureContext) => void): void => {
    try {
      const { certificate, key } = select(name);
      answer(null, createSecureContext({ cert: certificate, key }));
    } catch (error) {
      answer(error instanceof Error ? error : new Error(String(error)));
    }
  };
