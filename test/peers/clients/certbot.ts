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

export class Certbot implements Client {
  readonly #peers: Peers;
  readonly #options: ClientOptions;
  readonly #folder: string;

  constructor(peers: Peers, options: ClientOptions) {
    this.#peers = peers;
    this.#options = options;
    this.#folder = peers.newFolder('certbot');
  }

  async obtain({ names, onlyIfDue = false, profile, externalAccount }: CertificateWishes): Promise<Obtained> {
    const [name = ''] = names;
    const { hook = DNS_HOOK } = this.#options;
    const { kid, hmac } = externalAccount ?? {};
    const output = await this.#run(
      'certonly',
      // It would look for a program whose name has the quotes.
      words`--manual --preferred-challenges dns --disable-hook-validation
        --manual-auth-hook ${`'${hook}' present`} --manual-cleanup-hook ${`'${hook}' cleanup`}
        --agree-tos --register-unsafely-without-email --cert-name ${fileNameOf(name)}
        ${onlyIfDue ? '--keep-until-expiring' : '--force-renewal'}
        ${names.flatMap((each) => ['--domain', each])} ${option('--required-profile', profile)}
        ${option('--eab-kid', kid)} ${option('--eab-hmac-key', hmac)}`,
    );
    const live = join(this.#folder, 'config', 'live', fileNameOf(name));
    return { fullchainFile: join(live, 'fullchain.pem'), keyFile: join(live, 'privkey.pem'), output };
  }

  /** Answers what it printed. */
  revoke({ fullchainFile }: Obtained, reason: 'keycompromise' | 'superseded' | 'unspecified'): Promise<string> {
    return this.#run('revoke', words`--cert-path ${fullchainFile} --reason ${reason} --no-delete-after-revoke`);
  }

  #run(verb: string, parameters: readonly string[]): Promise<string> {
    const { directoryUrl, caFile, dns } = this.#options;
    const folder = (name: string): string => join(this.#folder, name);
    return this.#peers.succeed(
      this.#peers.programs.certbotPython,
      // Its own script names the folder that it was installed in, which was renamed since.
      words`-c ${'import sys; from certbot.main import main; sys.exit(main())'} ${verb}
        --non-interactive --server ${directoryUrl}
        --config-dir ${folder('config')} --work-dir ${folder('work')} --logs-dir ${folder('logs')} ${parameters}`,
      { env: { ...hookEnvironment(dns), REQUESTS_CA_BUNDLE: caFile } },
    );
  }
}

const fileNameOf = (name: string): string => name.replace('*.', 'any.');
