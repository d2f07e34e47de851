import { join } from 'node:path';
import type { Peers } from '../peers.ts';
import { option, words } from '../words.ts';
import {
  type CertificateWishes,
  type Client,
  type ClientOptions,
  DNS_HOOK,
  hookEnvironment,
  type Obtained,
} from './client.ts';

export class Lego implements Client {
  readonly #peers: Peers;
  readonly #options: ClientOptions;
  readonly #folder: string;

  constructor(peers: Peers, options: ClientOptions) {
    this.#peers = peers;
    this.#options = options;
    this.#folder = peers.newFolder('lego');
  }

  async obtain({ names, onlyIfDue = false, profile, externalAccount }: CertificateWishes): Promise<Obtained> {
    const { directoryUrl, caFile, dns, hook = DNS_HOOK } = this.#options;
    const [name = ''] = names;
    const { kid, hmac } = externalAccount ?? {};
    const output = await this.#peers.succeed(
      this.#peers.programs.lego,
      words`run --accept-tos --no-random-sleep ${onlyIfDue ? [] : '--renew-force'} --log.format text
        --email lego@peer.test --path ${this.#folder} --server ${directoryUrl}
        --dns exec --dns.resolvers ${dns.dnsServer} --dns.propagation.wait 1ms --cert.name ${fileNameOf(name)}
        ${names.flatMap((each) => ['--domains', each])} ${option('--profile', profile)}
        ${kid === undefined ? [] : '--eab'} ${option('--eab.kid', kid)} ${option('--eab.hmac', hmac)}`,
      {
        env: {
          ...hookEnvironment(dns),
          LEGO_CA_CERTIFICATES: caFile,
          EXEC_PATH: hook,
          // Whole seconds: between looks at the DNS, and between the names of one order.
          EXEC_POLLING_INTERVAL: '1',
          EXEC_SEQUENCE_INTERVAL: '0',
        },
      },
    );
    const file = (extension: string): string => join(this.#folder, 'certificates', `${fileNameOf(name)}.${extension}`);
    return { fullchainFile: file('crt'), keyFile: file('key'), output };
  }
}

const fileNameOf = (name: string): string => name.replace('*', '_');
