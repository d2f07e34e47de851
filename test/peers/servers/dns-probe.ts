import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';

const PATIENCE_MS = 500;

/** Throws unless a DNS server is there, for UDP as for TCP. */
export async function askDns(port: number): Promise<void> {
  const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  await resolver.resolve4('ready.test');
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
