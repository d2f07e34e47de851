import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, describe, expect, it } from 'vitest';
import { attemptId, type VerifiedChain, versionId } from '../../functions/core/certificate.ts';
import { encodeDetail, type Rotated } from '../../functions/core/events.ts';
import { encodeBundle } from '../../functions/stores/bundle.ts';
import { appForTwin } from '../../bin/twin/synthesize.ts';
import { Everleaf, type EverleafProps } from '../../lib/index.ts';
import { aLeaf, id, ISSUER, NOON } from '../support/builders.ts';
import { GENERAL_CA, manifestOf } from '../support/deployment.ts';

/** A fleet of this many certificates meets none of AWS's walls; each has its test. */
const FLEET = 10_000;
const KIB = 1_024;

const folder = mkdtempSync(join(tmpdir(), 'everleaf-walls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fleet = (count: number): string[] =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: `service-${index}`, namespace: `team-${index % 100}` },
      spec: {
        secretName: `service-${index}-tls`,
        dnsNames: [`service-${index}.internal.example`],
        privateKey: { algorithm: 'ECDSA' },
        issuerRef: { group: 'awspca.cert-manager.io', kind: 'AWSPCAClusterIssuer', name: 'internal' },
      },
    }),
  );

/** Files of a thousand: no file of a manifest may have more than a mebibyte. */
function writeFleet(name: string, documents: readonly string[]): string {
  const target = join(folder, name);
  writeFileSync(target, documents.join('\n---\n'));
  return target;
}

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

let apps = 0;
function resourcesOf(props: (stack: Stack) => EverleafProps): readonly Resource[] {
  const app = appForTwin(join(folder, `assembly-${++apps}`));
  const stack = new Stack(app, 'Fleet');
  const everleaf = new Everleaf(stack, 'Everleaf', props(stack));
  everleaf.onRotated();
  everleaf.ready('team-0/service-0');
  return Object.values(Template.fromStack(stack).toJSON()['Resources'] as Record<string, Resource>);
}

const manifest = mkdtempSync(join(folder, 'manifest-'));
writeFileSync(join(manifest, 'issuers.yaml'), manifestOf());
const documents = fleet(FLEET);
for (let start = 0; start < FLEET; start += 1_000)
  writeFileSync(join(manifest, `fleet-${start}.yaml`), documents.slice(start, start + 1_000).join('\n---\n'));

/** As much as the props allow. */
const resources = resourcesOf((stack) => ({
  manifest,
  deployment: 'd'.repeat(64),
  tags: Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`key-${index}`.padEnd(64, 'k'), 'v'.repeat(64)])),
  replicaRegions: ['eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-north-1', 'ap-southeast-1'].map((region) => ({
    region,
    encryptionKey: Key.fromKeyArn(stack, region, `arn:aws:kms:${region}:111122223333:key/${'1'.repeat(36)}`),
  })),
}));
const ofType = (type: string): readonly Resource[] => resources.filter(({ Type }) => Type === type);

/** What is no longer than AWS's own, where the template has an intrinsic: a Region, an account, else an ARN or a URL. */
const filledIn = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll(/\{"Ref":"AWS::\w+"\}/g, '"ap-southeast-1"')
    .replaceAll(/\{"(?:Ref|Fn::GetAtt)":(?:"[^"]*"|\[[^\]]*\])\}/g, `"${'a'.repeat(110)}"`);

describe(`a fleet of ${FLEET.toLocaleString('en')} certificates`, () => {
  it('meets no 500 resources: it has as many as one certificate', () => {
    const one = writeFleet('one.yaml', [manifestOf(), ...fleet(1)]);
    const single = resourcesOf(() => ({ manifest: one }));
    expect(resources.length).toBeLessThan(100);
    expect(resources.length).toBe(single.length);
  });

  it('meets no 300 rules a bus', () => {
    expect(ofType('AWS::Events::Rule').length).toBeLessThanOrEqual(10);
  });

  it("meets no 4 KB: of a function's environment, of what a custom resource is sent", () => {
    for (const { Properties } of ofType('AWS::Lambda::Function'))
      expect(filledIn(Properties['Environment']).length).toBeLessThan(4 * KIB);
    for (const { Properties } of resources.filter(({ Type }) => Type.startsWith('Custom::')))
      expect(filledIn(Properties).length).toBeLessThan(4 * KIB);
  });

  it("meets no 10,240 characters of a role's policies", () => {
    const sizes = ofType('AWS::IAM::Policy').map(({ Properties }) => filledIn(Properties['PolicyDocument']).length);
    expect(sizes.length).toBeGreaterThan(3);
    for (const size of sizes) expect(size).toBeLessThan(10_240);
  });

  it('meets none with a hundred CAs either: CDK gives the role further policies, each within its bounds', () => {
    const issuers = Array.from({ length: 100 }, (_, index) =>
      manifestOf()
        .replace('internal', `internal-${index}`)
        .replace(GENERAL_CA, GENERAL_CA.replace(/\d{3}$/, String(index + 100))),
    );
    const many = resourcesOf(() => ({ manifest: writeFleet('issuers.yaml', [manifestOf(), ...issuers, ...fleet(1)]) }));
    const sizes = (type: string): readonly number[] =>
      many.flatMap(({ Type, Properties }) => (Type === type ? filledIn(Properties['PolicyDocument']).length : []));
    expect(sizes('AWS::IAM::ManagedPolicy').length).toBeGreaterThan(0);
    expect(Math.max(...sizes('AWS::IAM::Policy'))).toBeLessThan(10_240);
    expect(Math.max(...sizes('AWS::IAM::ManagedPolicy'))).toBeLessThan(6_144);
  });
});

describe('the largest certificate', () => {
  // RFC 1035: 253 characters. A hundred names is what public CAs take.
  const dnsNames = Array.from({ length: 100 }, (_, index) => `${index}`.padStart(3, '0').padEnd(253, 'n'));

  it('meets no 64 KB of a secret, with every output format', () => {
    // A leaf of RSA 4096 with those names in PEM, and three CA certificates above it.
    const leaf = 'x'.repeat(Math.ceil((100 * 258 + 2_000) * (4 / 3)));
    const ca = 'x'.repeat(3_000);
    const chain = { leaf, intermediates: [ca, ca], trustAnchors: [ca] } as unknown as VerifiedChain;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 });
    const bundle = encodeBundle(privateKey, chain, {
      certificate: id('payments/orders'),
      attempt: attemptId.parse('11111111-1111-4111-8111-111111111111'),
      generation: 1,
      issuerRef: ISSUER.ref,
      specDigest: 'd'.repeat(64),
      issuedAt: NOON,
      leaf: aLeaf(),
    });
    expect(Buffer.byteLength(bundle)).toBeLessThan(64 * KIB);
  });

  it('meets no 256 KB of a call that publishes, with all that one renewal ever tells', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`label-${index}`.padEnd(63, 'l'), 'v'.repeat(63)]),
    );
    const detail: Rotated = {
      schemaVersion: '1',
      certificate: id(`${'n'.repeat(63)}/${'c'.repeat(253)}`),
      correlationId: 'c'.repeat(64),
      generation: 2 ** 31,
      issuerRef: ISSUER.ref,
      labels,
      dnsNames,
      ...aLeaf(),
      store: { kind: 'SecretsManager', ref: 'a'.repeat(600), version: versionId.parse('v'.repeat(64)) },
      reason: 'RenewalWindowReached',
    };
    expect(Buffer.byteLength(encodeDetail({ type: 'Certificate Rotated', detail })) * 5).toBeLessThan(256 * KIB);
  });
});
