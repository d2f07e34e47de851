import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { App, Stack } from 'aws-cdk-lib';
import type { CertificateId } from '../../functions/core/certificate.ts';
import type { CertificateRecord, CurrentVersion } from '../../functions/core/record.ts';
import { DAY_MS, type Instant, SECOND_MS } from '../../functions/core/time.ts';

import { appForTwin } from '../../bin/twin/synthesize.ts';
import { EverleafStack } from '../../lib/everleaf-stack.ts';
import { AcmPca } from '../../local/services/acm-pca.ts';
import { Twin } from '../../local/twin.ts';
import { Operator } from '../../bin/twin/operator.ts';

export const GENERAL_CA =
  'arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/11111111-1111-4111-8111-111111111111';

/** A CA in somebody else's account. */
export const FOREIGN_CA =
  'arn:aws:acm-pca:us-east-1:444455556666:certificate-authority/22222222-2222-4222-8222-222222222222';

/** An issuer and the certificates of a test, as their owner would write them. */
export function manifestOf(...certificates: readonly string[]): string {
  const issuer = `apiVersion: awspca.cert-manager.io/v1beta1
kind: AWSPCAClusterIssuer
metadata: { name: internal }
spec: { arn: ${GENERAL_CA} }
`;
  return [issuer, ...certificates].join('---\n');
}

export const certificateYaml = (name: string, extra = ''): string => `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: ${name} }
spec:
  secretName: ${name}-tls
  dnsNames: [${name}.internal.example]
  privateKey: { algorithm: ECDSA }
  issuerRef: { group: awspca.cert-manager.io, kind: AWSPCAClusterIssuer, name: internal }
${extra}`;

/** The product's own stack, synthesized, deployed on a twin, with an operator's view. Close it. */
export interface Deployment {
  readonly twin: Twin;
  readonly pca: AcmPca;
  readonly operator: Operator;
  readonly secrets: SecretsManagerClient;
  readonly queueUrl: string;
  readonly now: () => Instant;
  /** The schedule fires; answers when nothing more happens by itself. */
  readonly tick: () => Promise<void>;
  readonly advance: (ms: number) => Promise<void>;
  /** Deploys another manifest over this one. */
  readonly deploy: (manifest: string) => Promise<void>;
  readonly record: (name: string) => Promise<CertificateRecord>;
  readonly requestRenewal: (name: string) => Promise<void>;
  /** Of the version in use, which it answers. */
  readonly requestRevocation: (name: string) => Promise<CurrentVersion>;
  /** What a consumer reads. */
  readonly bundle: (
    name: string,
    which?: Partial<GetSecretValueCommandInput>,
  ) => Promise<Readonly<Record<string, string>>>;
  readonly stages: (name: string) => Promise<Readonly<Record<string, readonly string[]>>>;
  readonly sendHint: (body: string) => Promise<void>;
  readonly publish: (detailType: string, detail: unknown) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface DeploymentOptions {
  readonly manifest: string;
  /** Changes the stack before it is synthesized: a grant taken away, a subscriber added. */
  readonly adapt?: (stack: Stack, app: App) => void;
  readonly pastDays?: number;
  /** Where the twin's clock starts is `pastDays` ago, unless a CA outside of it goes by wall time. */
  readonly atWallTime?: boolean;
  /** Where the twin answers DNS; any port, if absent. */
  readonly dnsPort?: number;
}

export async function deployOnTwin(options: DeploymentOptions): Promise<Deployment> {
  const { manifest, adapt, pastDays = 100, atWallTime = false, dnsPort } = options;
  const folder = mkdtempSync(join(tmpdir(), 'everleaf-deployment-'));
  let assemblies = 0;
  const assemble = (text: string): string => {
    writeFileSync(join(folder, 'manifest.yaml'), text);
    const outdir = join(folder, `assembly-${++assemblies}`);
    const app = appForTwin(outdir);
    const stack = new EverleafStack(app, 'Everleaf', { manifest: join(folder, 'manifest.yaml') });
    adapt?.(stack, app);
    app.synth();
    return outdir;
  };
  let pca: AcmPca | undefined;
  const twin = await Twin.start({
    assemblyDir: assemble(manifest),
    startAt: Date.now() - (atWallTime ? 0 : pastDays * DAY_MS),
    ...(dnsPort === undefined ? {} : { dnsPort }),
    services: ({ clock }) => [
      (pca = new AcmPca({
        certificateAuthorities: [{ arn: GENERAL_CA }, { arn: FOREIGN_CA }],
        now: () => clock.now(),
      })),
    ],
  });
  if (pca === undefined) throw new Error('the twin asked for no services');
  const ca = pca;
  // AWS takes a second or two; a test that is about something else need not wait for it.
  ca.issuanceDelay = 0;

  const connection = { endpoint: twin.endpoint, region: twin.account.region, credentials: twin.operatorCredentials };
  const operator = new Operator(connection, twin.physicalId('EverleafInventoryTable'), 'Everleaf');
  const secrets = new SecretsManagerClient(connection);
  const sqs = new SQSClient(connection);
  const events = new EventBridgeClient(connection);
  const queueUrl = twin.physicalId('EverleafIssuanceQueue');
  const idOf = (name: string): CertificateId => `default/${name}` as CertificateId;
  const record = async (name: string): Promise<CertificateRecord> => {
    const stored = await operator.inventory.read(idOf(name));
    if (stored === undefined) throw new Error(`${name} is not in the inventory`);
    return stored.value;
  };

  // On a busy machine an order is soon too old to be waited for in place, and comes back by a delayed message.
  const settled = (): Promise<void> => twin.settledAfterDelays('EverleafIssuanceQueue', 5 * SECOND_MS);

  return {
    twin,
    pca: ca,
    operator,
    secrets,
    queueUrl,
    now: () => twin.clock.now(),
    tick: async () => {
      await twin.tick();
      await settled();
    },
    advance: async (ms) => {
      await twin.advance(ms);
      await settled();
    },
    deploy: async (text) => {
      await twin.update(assemble(text));
      await twin.settled();
    },
    record,
    requestRenewal: (name) => operator.requestRenewal(idOf(name), 'test', twin.clock.now()),
    requestRevocation: async (name) => {
      const { id, current } = await record(name);
      if (current === undefined) throw new Error(`${name} was never issued`);
      const happening = {
        event: 'RevocationRequested',
        version: current.version,
        reason: 'superseded',
        by: 'test',
      } as const;
      await operator.wish(id, () => happening, { arn: 'test', clock: () => twin.clock.now() });
      return current;
    },
    bundle: async (name, which = {}) => {
      const { SecretString } = await secrets.send(
        new GetSecretValueCommand({ SecretId: `Everleaf/${name}-tls`, ...which }),
      );
      return JSON.parse(SecretString ?? '{}') as Record<string, string>;
    },
    stages: async (name) => {
      const { VersionIdsToStages } = await secrets.send(
        new DescribeSecretCommand({ SecretId: `Everleaf/${name}-tls` }),
      );
      return VersionIdsToStages ?? {};
    },
    sendHint: async (body) => {
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
    },
    publish: async (detailType, detail) => {
      await events.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: twin.physicalId('EverleafBus'),
              Source: 'everleaf',
              DetailType: detailType,
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      );
    },
    close: async () => {
      for (const client of [secrets, sqs, events]) client.destroy();
      operator.close();
      await twin.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
