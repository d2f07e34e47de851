import type { Peers } from '../peers.ts';
import { words } from '../words.ts';
import { askDns } from './dns-probe.ts';
import { freePort } from './free-port.ts';
import { askFor } from './http.ts';
import { type Server, startServer } from './server.ts';

/** Where dns-01 challenges are answered. */
export interface DnsEndpoint {
  /** `127.0.0.1:port`, UDP and TCP. */
  readonly dnsServer: string;
  /** Takes `{ host, value }` at `/set-txt` and `/clear-txt`. */
  readonly url: string;
}

export interface ChallengeDns extends DnsEndpoint, Server {
  /** Adds a value to those that `host` has. */
  readonly setTxt: (host: string, value: string) => Promise<void>;
  /** Removes all values of `host`. */
  readonly clearTxt: (host: string) => Promise<void>;
  readonly setCname: (host: string, target: string) => Promise<void>;
  readonly clearCname: (host: string) => Promise<void>;
  /** Every question about `host` is answered with SERVFAIL. */
  readonly setServfail: (host: string) => Promise<void>;
  readonly clearServfail: (host: string) => Promise<void>;
  readonly addCaa: (host: string, policies: readonly CaaPolicy[]) => Promise<void>;
  readonly clearCaa: (host: string) => Promise<void>;
}

export interface CaaPolicy {
  readonly tag: 'issue' | 'issuewild' | 'iodef';
  readonly value: string;
}

/** pebble-challtestsrv as a DNS server alone. It answers for every name, with A and AAAA of loopback. */
export async function startChallengeDns(peers: Peers): Promise<ChallengeDns> {
  const folder = peers.newFolder('challenge-dns');
  const [dnsPort, managementPort] = await Promise.all([freePort(), freePort()]);
  const dnsServer = `127.0.0.1:${dnsPort}`;
  const managementAddress = `127.0.0.1:${managementPort}`;
  const url = `http://${managementAddress}`;
  const post = async (path: string, body: unknown): Promise<void> => {
    await askFor(`${url}/${path}`, { method: 'POST', body });
  };
  const server = await startServer(peers, {
    program: peers.programs.challengeDns,
    parameters: words`-dnsserver ${dnsServer} -management ${managementAddress} -http01= -https01= -tlsalpn01= -doh=`,
    folder,
    // It starts both servers at once, and says of neither that it is there.
    serves: async () => {
      await post('clear-txt', { host: 'ready.test' });
      await askDns(dnsPort);
    },
  });
  return {
    ...server,
    dnsServer,
    url,
    setTxt: (host, value) => post('set-txt', { host, value }),
    clearTxt: (host) => post('clear-txt', { host }),
    setCname: (host, target) => post('set-cname', { host, target }),
    clearCname: (host) => post('clear-cname', { host }),
    setServfail: (host) => post('set-servfail', { host }),
    clearServfail: (host) => post('clear-servfail', { host }),
    addCaa: (host, policies) => post('add-caa', { host, policies }),
    clearCaa: (host) => post('clear-caa', { host }),
  };
}
