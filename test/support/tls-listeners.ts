import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** TCP servers of one test on loopback. What is not closed by then is closed by `close`. */
export class Listeners {
  readonly #open: { server: Server; sockets: Set<Socket> }[] = [];

  /** Answers the port, which is that of `port` where one is given. */
  async listen(onConnection: (socket: Socket) => void, host = '127.0.0.1', port = 0): Promise<number> {
    return this.serve(createServer(onConnection), host, port);
  }

  async serve(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    });
    this.#open.push({ server, sockets });
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const { server, sockets } of this.#open.splice(0)) {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}
