import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { ACMPCAClient, IssueCertificateCommand } from '@aws-sdk/client-acm-pca';
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { ChangeResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import { eks } from '../../functions/hooks/eks/plugin.ts';
import { GROUP, renderRbac } from '../../functions/hooks/eks/rbac.ts';
import { DROPPED } from '../../local/acme/exchange.ts';
import type { KubernetesCluster } from '../../local/kubernetes/cluster.ts';
import { WRONG_LEAVES } from '../../local/pca/wrong-leaves.ts';
import {
  type AcmeDeployment,
  acmeIssuerYaml,
  deployWithAcme,
  documents,
  publicCertificateYaml,
  ZONE,
} from '../support/acme-deployment.ts';
import { certificateYaml, GENERAL_CA, manifestOf } from '../support/deployment.ts';

const RSA = '  privateKey: { algorithm: RSA, size: 2048 }\n';

/** Two of them are written where a hook is declared to. */
const WRITTEN = ['inner', 'rsa'];
const SECRET = { cluster: 'prod', namespace: 'shop' };
const hookYaml = (name: string): string => `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata: { name: ${name} }
spec:
  certificateNames: [${name}]
  eks: { cluster: ${SECRET.cluster}, namespace: ${SECRET.namespace}, secretName: ${name}-tls }
`;

/** Certificates of every kind of key, from both CAs. */
const MANIFEST = documents(
  manifestOf(certificateYaml('inner'), certificateYaml('rsa').replace('  privateKey: { algorithm: ECDSA }\n', RSA)),
  acmeIssuerYaml(),
  publicCertificateYaml('shop'),
  publicCertificateYaml('p384').replace('ECDSA', 'ECDSA, size: 384'),
  ...WRITTEN.map(hookYaml),
);
const NAMES = ['inner', 'rsa', 'shop', 'p384'];

/** The cluster of the hooks, which lets the deploy function do what their RBAC says. */
async function startCluster({ twin }: AcmeDeployment): Promise<KubernetesCluster> {
  const cluster = await twin.eks.createCluster(SECRET.cluster);
  cluster.namespaces.add(SECRET.namespace);
  for (const name of WRITTEN) {
    const parsed = eks.parse({ ...SECRET, secretName: `${name}-tls` }, ['spec', 'eks']);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
    for (const document of parseAllDocuments(renderRbac(parsed.options))) cluster.rbac.apply(document.toJS());
  }
  const role = twin.physicalId('EverleafDeploymentDeployRole');
  cluster.accessEntries.set(`arn:aws:iam::${twin.account.accountId}:role/${role}`, [GROUP]);
  return cluster;
}

/** A day on which everything that handles a key is disturbed while it does. */
async function badDay(deployment: AcmeDeployment, cluster: KubernetesCluster): Promise<void> {
  const { twin, pca, ca } = deployment;
  const renewAll = async (): Promise<void> => {
    for (const name of NAMES) await deployment.requestRenewal(name);
    for (let minute = 0; minute < 4; minute++) await deployment.advance(MINUTE_MS);
  };
  await deployment.tick();
  for (const operation of ['PutSecretValue', 'PutItem', 'UpdateSecretVersionStage', 'PutEvents', 'GetSecretValue']) {
    let isOver = false;
    const stop = twin.use(async (call, next) => {
      if (isOver || call.operation !== operation || !call.principal.includes('Issue')) return next();
      isOver = true;
      await next();
      // An answer that quotes what it was sent, as a server's error page might.
      return {
        status: 400,
        headers: {},
        body: JSON.stringify({ __type: 'Refused', message: JSON.stringify(call.input) }),
      };
    });
    await renewAll();
    stop();
    await deployment.advance(25 * HOUR_MS);
  }
  pca.misissue = ca.settings.misissue = WRONG_LEAVES.anotherKey;
  await renewAll();
  pca.misissue = ca.settings.misissue = undefined;
  const cut = ca.use(async ({ resource }, next) => (resource === 'finalize' ? (await next(), DROPPED) : next()));
  await renewAll();
  cut();
  cluster.admission = (body) => {
    const [quoted] = /"tls\.key":"[^"]+"/.exec(body) ?? [];
    return quoted === undefined ? undefined : `admission webhook "policy.example" denied the request: ${quoted}`;
  };
  await renewAll();
  for (let minute = 0; minute < 30; minute++) await deployment.advance(MINUTE_MS);
  cluster.admission = undefined;
  await deployment.sendHint('no hint at all');
  for (let delivery = 0; delivery < 4; delivery++) await deployment.advance(13 * MINUTE_MS);
  await deployment.advance(25 * HOUR_MS);
}

describe('on a bad day, over the whole pipeline, no private key', () => {
  let deployment: AcmeDeployment;
  let cluster: KubernetesCluster;
  beforeAll(async () => {
    deployment = await deployWithAcme({ manifest: MANIFEST });
    cluster = await startCluster(deployment);
    await badDay(deployment, cluster);
  }, 240_000);
  afterAll(() => deployment.close());

  it('went over a wire, into a log, an answer or an error, and every one that was made was looked for', async () => {
    const { twin } = deployment;
    for (const name of NAMES) expect((await deployment.record(name)).generation, name).toBeGreaterThan(4);
    expect(twin.logs.length).toBeGreaterThan(100);
    // One number of each EC key, six of each RSA key; one account.
    expect(twin.keyWatch.known).toBeGreaterThan(60);
    // The one answer above that quotes a key goes no further than into the function that asked.
    const quoted = {
      channel: 'secretsmanager',
      where: expect.stringMatching(/^answer to .* PutSecretValue$/) as unknown,
    };
    expect(twin.keyWatch.findings.splice(0)).toEqual([quoted]);
  });

  it('went on when the place where it is written refused it, and quoted it', async () => {
    for (const name of WRITTEN) {
      const { rollout } = await deployment.record(name);
      expect(rollout, name).toMatchObject({ state: 'deployed' });
      const written = cluster.secret(SECRET.namespace, `${name}-tls`)['tls.key'];
      expect(written, name).toBe((await deployment.bundle(name))['tls.key']);
    }
    const { twin } = deployment;
    expect(twin.logs.some(({ line }) => line.includes('400 BadRequest'))).toBe(true);
  });

  it('rests in a table, a queue, a dead letter or a file', async () => {
    const { twin } = deployment;
    const table = new DynamoDBClient(connectionTo(deployment));
    const { Items = [] } = await table.send(new ScanCommand({ TableName: twin.physicalId('EverleafInventoryTable') }));
    table.destroy();
    expect(Items.length).toBeGreaterThan(NAMES.length);
    twin.keyWatch.search('table', 'inventory', JSON.stringify(Items));
    const queues = ['Issuance', 'Deployment']
      .flatMap((work) => [`Everleaf${work}Queue`, `Everleaf${work}DeadLetters`])
      .map((id) => twin.queue(id));
    const bodies = queues.flatMap((queue) => queue.messages().map(({ body }) => body));
    expect(bodies).toContain('no hint at all');
    twin.keyWatch.search('queue', 'messages', bodies.join('\n'));
    twin.keyWatch.searchFolder(twin.temporaryFolder);
    // What was refused with a quotation is in the log, without it; the record's own trail is short.
    expect(twin.logs.some(({ line }) => line.includes('private key removed'))).toBe(true);
    expect(twin.keyWatch.findings).toEqual([]);
  });

  it('would have gone unseen: one that is planted is found on each channel', async () => {
    const { twin, ca, secrets } = deployment;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    twin.keyWatch.learnKey(privateKey);
    const leak = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64url');
    const connection = connectionTo(deployment);
    const [table, route53, pca] = [
      new DynamoDBClient(connection),
      new Route53Client(connection),
      new ACMPCAClient(connection),
    ];
    const planted: Readonly<Record<string, () => Promise<unknown>>> = {
      events: () => deployment.publish('Certificate Rotated', { leak }),
      sqs: () => deployment.sendHint(leak),
      dynamodb: () =>
        table.send(
          new PutItemCommand({ TableName: twin.physicalId('EverleafInventoryTable'), Item: { pk: { S: leak } } }),
        ),
      secretsmanager: () => secrets.send(new CreateSecretCommand({ Name: 'x', Description: leak })),
      route53: () =>
        route53.send(
          new ChangeResourceRecordSetsCommand({
            HostedZoneId: 'Z0',
            ChangeBatch: {
              Changes: [
                {
                  Action: 'CREATE',
                  ResourceRecordSet: { Name: ZONE, Type: 'TXT', TTL: 1, ResourceRecords: [{ Value: `"${leak}"` }] },
                },
              ],
            },
          }),
        ),
      'acm-pca': () =>
        pca.send(
          new IssueCertificateCommand({
            CertificateAuthorityArn: GENERAL_CA,
            Csr: Buffer.from(`-----BEGIN CERTIFICATE REQUEST-----${leak}`),
            SigningAlgorithm: 'SHA256WITHECDSA',
            Validity: { Type: 'DAYS', Value: 1 },
          }),
        ),
      acme: () => post(`https://127.0.0.1:${ca.port}/new-order`, ca.tlsRoot, leak),
      file: async () => {
        writeFileSync(join(twin.temporaryFolder, 'left-behind'), leak);
        twin.keyWatch.searchFolder(twin.temporaryFolder);
      },
    };
    for (const [channel, plant] of Object.entries(planted)) {
      await plant().catch(() => undefined);
      expect(twin.keyWatch.findings.splice(0), channel).toContainEqual(expect.objectContaining({ channel }));
    }
    for (const client of [table, route53, pca]) client.destroy();
  });
});

const connectionTo = ({ twin }: AcmeDeployment) => ({
  endpoint: twin.endpoint,
  region: twin.account.region,
  credentials: twin.operatorCredentials,
  maxAttempts: 1,
});

function post(url: string, ca: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', ca }, (answer) => answer.resume().on('end', resolve));
    call.on('error', reject);
    call.end(body);
  });
}
