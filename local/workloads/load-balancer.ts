import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TlsProcess } from './tls-process.ts';

/** A TCP load balancer on loopback: one port for as long as a service lives, whichever processes are behind it. */
export class LoadBalancer {
  readonly #server = createServer((socket) => this.#forward(socket));
  readonly #sockets = new Set<Socket>();
  readonly #underWay = new WeakMap<TlsProcess, Set<Promise<void>>>();
  #processes: readonly TlsProcess[] = [];
  #next = 0;

  static async start(): Promise<LoadBalancer> {
    const balancer = new LoadBalancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get processes(): readonly TlsProcess[] {
    return this.#processes;
  }

  /** New connections go to these from now on. Those that are no longer among them are drained, and then stopped. */
  async register(processes: readonly TlsProcess[]): Promise<void> {
    const leaving = this.#processes.filter((process) => !processes.includes(process));
    this.#processes = processes;
    // A listener that is closed resets what waits to be accepted, so it stays until nothing more comes.
    await Promise.all(leaving.flatMap((process) => [...(this.#underWay.get(process) ?? [])]));
    await Promise.all(leaving.map((process) => process.stop()));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#processes.map((process) => process.kill()));
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #forward(client: Socket): void {
    const target = this.#processes[this.#next++ % Math.max(1, this.#processes.length)];
    if (target === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect(target.port, '127.0.0.1');
    const connections = this.#underWay.get(target) ?? new Set();
    this.#underWay.set(target, connections);
    const ended = new Promise<void>((resolve) => upstream.once('close', () => resolve()));
    connections.add(ended);
    void ended.then(() => connections.delete(ended));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroySoon();
      });
      from.pipe(to);
    }
  }
}
