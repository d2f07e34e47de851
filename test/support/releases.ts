import 'reflect-metadata';
import { randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import { PutSecretValueCommand, type SecretsManagerClient, CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import * as x509 from '@peculiar/x509';
import { versionId } from '../../functions/core/certificate.ts';
import type { KeyedBundle, Release } from '../../functions/core/rollout/ports.ts';
import { DAY_MS, type Instant, SECOND_MS } from '../../functions/core/time.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';
import { handshake } from '../../functions/probers/tls/handshake.ts';
import { id } from './builders.ts';
import { newKey, TestCa } from './test-ca.ts';

/** A bundle that consumers could serve, and what a prober compares. */
export interface Made {
  readonly bundle: KeyedBundle;
  readonly sha256Fingerprint: string;
}

/** Issues certificates for one name, with their keys. */
export async function bundleMaker(name: string, now: Instant): Promise<{ ca: TestCa; make: () => Promise<Made> }> {
  const ca = await TestCa.create('Release', now);
  const make = async (): Promise<Made> => {
    const keys = await newKey();
    const csr = await x509.Pkcs10CertificateRequestGenerator.create({
      keys,
      name: `CN=${name}`,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
    });
    const chain = await ca.sign(csr.toString('pem'), now, now + 90 * DAY_MS);
    const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    const leaf = new X509Certificate(chain.leaf);
    return {
      bundle: {
        'tls.crt': [chain.leaf, ...chain.intermediates].join('\n'),
        'tls.key': x509.PemConverter.encode(key, 'PRIVATE KEY'),
        'ca.crt': chain.trustAnchors.join('\n'),
      },
      sha256Fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    };
  };
  return { ca, make };
}

/** A secret in Secrets Manager whose versions are releases of one certificate. */
export class ReleasedSecret {
  readonly arn: string;
  readonly #client: SecretsManagerClient;
  readonly #make: () => Promise<Made>;
  readonly #bundles = new Map<string, KeyedBundle>();
  #generation = 0;

  private constructor(arn: string, client: SecretsManagerClient, make: () => Promise<Made>) {
    this.arn = arn;
    this.#client = client;
    this.#make = make;
  }

  static async create(client: SecretsManagerClient, name: string, make: () => Promise<Made>): Promise<ReleasedSecret> {
    const { ARN = '' } = await client.send(new CreateSecretCommand({ Name: name }));
    return new ReleasedSecret(ARN, client, make);
  }

  /** Writes a new bundle and makes it current. */
  async next(): Promise<Release> {
    const { bundle, sha256Fingerprint } = await this.#make();
    const version = randomUUID();
    this.#bundles.set(version, bundle);
    const SecretString = JSON.stringify(bundle);
    const write = { SecretId: this.arn, ClientRequestToken: version, SecretString, VersionStages: ['AWSCURRENT'] };
    await this.#client.send(new PutSecretValueCommand(write));
    return {
      certificate: id('default/web'),
      generation: ++this.#generation,
      version: versionId.parse(version),
      ref: this.arn,
      sha256Fingerprint,
      notAfter: new X509Certificate(bundle['tls.crt']).validToDate.getTime(),
    };
  }

  bundleOf({ version }: Release): KeyedBundle {
    const bundle = this.#bundles.get(version);
    if (bundle === undefined) throw new Error(`no version ${version}`);
    return bundle;
  }
}

/** SHA-256 of the leaf that is served on a port of loopback, by a handshake of its own, as the prober makes it. */
export async function servedOn(port: number, serverName: string): Promise<string> {
  const endpoint = { host: '127.0.0.1', port, serverName };
  const { certificates } = await handshake(endpoint.host, endpoint, AbortSignal.timeout(20 * SECOND_MS));
  return readCertificate(certificates[0] ?? '').sha256Fingerprint;
}
