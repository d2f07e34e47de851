import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import type { CertificateId } from '../../functions/core/certificate.ts';
import type { Inventory } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { splitCertificates } from '../../functions/core/x509/pem.ts';
import { topOf, verifyChain } from '../../functions/core/x509/chain.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';
import { dynamoDbInventory } from '../../functions/inventories/dynamodb.ts';
import { secretNameOf } from '../../functions/stores/secret-name.ts';
import { change, type Wish } from '../operator/change.ts';
import type { Person } from '../operator/person.ts';

export interface Connection {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const bundle = z.object({ 'tls.crt': z.string(), 'tls.key': z.string(), 'ca.crt': z.string() });

/** What a person with an account's credentials sees of a deployment, through the same SDK and adapters as its functions. */
export class Operator {
  readonly inventory: Inventory;
  readonly #secrets: SecretsManagerClient;
  readonly #deployment: string;

  constructor(connection: Connection, tableName: string, deployment: string) {
    this.inventory = dynamoDbInventory(tableName, new DynamoDBClient({ ...connection }));
    this.#secrets = new SecretsManagerClient({ ...connection });
    this.#deployment = deployment;
  }

  /** Every record, by name. */
  async records(): Promise<readonly CertificateRecord[]> {
    const records: CertificateRecord[] = [];
    for await (const { value } of this.inventory.all()) records.push(value);
    return records.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async requestRenewal(id: CertificateId, by: string, now: number): Promise<void> {
    await this.wish(id, () => ({ event: 'RenewalRequested', by }), { arn: by, clock: () => now });
  }

  async wish(id: CertificateId, wish: Wish, by: Pick<Person, 'arn' | 'clock'>): Promise<void> {
    const outcome = await change(this.inventory, id, wish, by);
    if ('because' in outcome) throw new Error(`${id}: ${outcome.because}`);
  }

  /**
   * Reads a secret as a consumer does and says what is wrong with it; undefined: nothing. `roots`: those that clients have, for
   * chains that bring no anchor; without them such a chain has to hold as far as it goes.
   */
  async faultOf(
    { id, spec }: CertificateRecord,
    now: number,
    roots: readonly string[] = [],
  ): Promise<string | undefined> {
    const SecretId = secretNameOf(this.#deployment, { certificate: id, secretName: spec.secretName });
    const { SecretString } = await this.#secrets.send(new GetSecretValueCommand({ SecretId }));
    const parsed = z.safeParse(bundle, JSON.parse(SecretString ?? 'null'));
    if (!parsed.success) return `secret ${SecretId} holds no bundle`;
    const [leaf, ...intermediates] = splitCertificates(parsed.data['tls.crt']).map(readCertificate);
    if (leaf === undefined) return `secret ${SecretId} holds no certificate`;
    const own = splitCertificates(parsed.data['ca.crt']);
    const known = (own.length > 0 ? own : roots).map(readCertificate);
    const anchors = known.length > 0 ? known : topOf(intermediates);
    const verdict = verifyChain(leaf, intermediates, anchors, now);
    if (!verdict.trusted) return `secret ${SecretId}: ${verdict.why}`;
    return matches(leaf.x509, parsed.data['tls.key'])
      ? undefined
      : `secret ${SecretId}: the key is not the certificate's`;
  }

  close(): void {
    this.#secrets.destroy();
  }
}

function matches(leaf: X509Certificate, keyPem: string): boolean {
  return leaf.checkPrivateKey(createPrivateKey(keyPem));
}
