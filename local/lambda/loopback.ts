import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { isIP } from 'node:net';
import { constants } from 'node:os';
import tls from 'node:tls';
import type { NetworkSettings } from '../network.ts';

/** libuv's EAI_NONAME, and its way to write an errno. */
const NO_SUCH_NAME = -3_008;
const UNREACHABLE = -constants.errno.ENETUNREACH;

interface ConnectRequest {
  oncomplete(status: number, handle: TcpHandle, request: ConnectRequest, readable: boolean, writable: boolean): void;
}

type Connect = (this: TcpHandle, request: ConnectRequest, address: string, port: number) => number;

interface TcpHandle {
  connect: Connect;
  connect6: Connect;
}

/**
 * Keeps a worker on loopback. Names are those of `settings`; what TCP connects to is decided beneath `net`, `tls`, `http2`
 * and `fetch`, after whatever lookup of their own they were given. UDP is left alone: nothing but the resolver uses it.
 */
export function keepOnLoopback({ dnsServer, standIns, roots }: NetworkSettings): void {
  dns.setServers([dnsServer]);
  const addressOf = (host: unknown): unknown => {
    if (typeof host !== 'string' || host === '' || host === 'localhost' || isIP(host) !== 0) return host;
    return standIns.get(host.toLowerCase())?.address;
  };
  // Proxies, because `promisify` reads properties of `lookup` that nobody else can.
  dns.lookup = new Proxy(dns.lookup, {
    apply: (lookup, self, [host, ...rest]: unknown[]) => {
      const address = addressOf(host);
      if (address === undefined) return process.nextTick(rest.at(-1) as () => void, notFound(String(host)));
      return Reflect.apply(lookup, self, [address, ...rest]) as unknown;
    },
  });
  dns.promises.lookup = new Proxy(dns.promises.lookup, {
    apply: (lookup, self, [host, ...rest]: unknown[]) => {
      const address = addressOf(host);
      if (address === undefined) return Promise.reject(notFound(String(host)));
      return Reflect.apply(lookup, self, [address, ...rest]) as unknown;
    },
  });
  // Bundles import these functions by name.
  syncBuiltinESMExports();
  redirectTcp(new Map([...standIns.values()].map(({ address, port }) => [address, port])));
  if (roots.length > 0) tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...roots]);
}

function redirectTcp(ports: ReadonlyMap<string, number>): void {
  const binding = Reflect.get(process, 'binding') as (name: 'tcp_wrap') => { TCP: { prototype: TcpHandle } };
  const handle = binding('tcp_wrap').TCP.prototype;
  const { connect, connect6 } = handle;
  handle.connect = function (request, address, port) {
    const standIn = ports.get(address);
    if (standIn !== undefined) return connect.call(this, request, '127.0.0.1', standIn);
    return address.startsWith('127.') ? connect.call(this, request, address, port) : refuse(this, request);
  };
  handle.connect6 = function (request, address, port) {
    return address === '::1' ? connect6.call(this, request, address, port) : refuse(this, request);
  };
}

/** Later, as a network would: `tls` cannot stand a connection that fails while it is being set up. */
function refuse(handle: TcpHandle, request: ConnectRequest): number {
  setImmediate(() => request.oncomplete(UNREACHABLE, handle, request, false, false));
  return 0;
}

function notFound(hostname: string): Error {
  const syscall = 'getaddrinfo';
  const message = `${syscall} ENOTFOUND ${hostname}`;
  return Object.assign(new Error(message), { errno: NO_SUCH_NAME, code: 'ENOTFOUND', syscall, hostname });
}
