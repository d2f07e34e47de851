import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Listens on loopback where a CA would like to lead us. Nobody may ever come. */
export interface Trap {
  readonly port: number;
  readonly visits: () => number;
  close(): Promise<void>;
}

export async function setTrap(): Promise<Trap> {
  let visits = 0;
  const server = createServer((connection) => {
    visits += 1;
    connection.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    visits: () => visits,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
