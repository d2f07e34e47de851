import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Deployment, deployOnTwin } from '../support/deployment.ts';
import { documents } from '../support/acme-deployment.ts';
import { judge, type Judged } from './openssl.ts';
import { Peers } from './peers.ts';
import { freePort } from './servers/free-port.ts';
import { startPebble } from './servers/pebble.ts';
import { startStepCa } from './servers/step-ca.ts';

/**
 * The whole pipeline, by the bundles that are deployed, with a CA that we did not write: it asks the twin's name servers for what
 * the pipeline has put into the twin's Route 53. Time is wall time, since the CA knows no other.
 */
const peers = new Peers();
afterAll(() => peers.stop());

const ZONE = 'pipeline.test';
const CERTIFICATES = ['shop', 'api', 'site'] as const;

function issuerYaml(server: string, caFile: string, extra = ''): string {
  const caBundle = Buffer.from(readFileSync(caFile, 'utf8')).toString('base64');
  return `apiVersion: cert-manager.io/v1
kind: Issuer
metadata: { name: peer }
spec:
  acme:
    server: ${server}
    email: certificates@${ZONE}
    caBundle: ${caBundle}
    privateKeySecretRef: { name: peer-account }
    solvers: [{ dns01: { route53: {} } }]
${extra}`;
}

/** As most tutorials have it: nothing but names and an issuer. */
const certificateYaml = (name: string): string => `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: ${name} }
spec:
  secretName: ${name}-tls
  issuerRef: { name: peer, kind: Issuer }
  commonName: ${name}.${ZONE}
  dnsNames: [${name}.${ZONE}, '*.${name}.${ZONE}']
`;

async function deployed(issuer: string, dnsPort: number): Promise<Deployment> {
  const manifest = documents(issuer, ...CERTIFICATES.map(certificateYaml));
  const deployment = await deployOnTwin({ manifest, atWallTime: true, dnsPort });
  onTestFinished(() => deployment.close());
  deployment.twin.route53.addZone(ZONE);
  return deployment;
}

/** Ticks, as the schedule fires, until every certificate is there; what is asked to wait, waits. */
async function untilCurrent(deployment: Deployment): Promise<void> {
  for (let tick = 0; tick < 60; tick++) {
    await deployment.tick();
    const records = await Promise.all(CERTIFICATES.map((name) => deployment.record(name)));
    if (records.every(({ current }) => current !== undefined)) return;
    const next = Math.min(...records.map(({ retryAfter = 0, waitUntil = 0 }) => Math.max(retryAfter, waitUntil)));
    await deployment.twin.clock.pass(Math.max(250, next - deployment.now()));
  }
  throw new Error(
    `not issued: ${deployment.twin.logs
      .slice(-20)
      .map(({ line }) => line)
      .join('\n')}`,
  );
}

interface Proof {
  /** What the openssl command says of each certificate that a consumer reads. */
  readonly judged: readonly Partial<Judged>[];
  readonly txtRecords: number;
  readonly keysSeen: number;
  readonly problems: readonly unknown[];
}

async function proofOf(deployment: Deployment, roots: readonly string[]): Promise<Proof> {
  const judged: Partial<Judged>[] = [];
  for (const name of CERTIFICATES) {
    const bundle = await deployment.bundle(name);
    const folder = peers.newFolder(name);
    const obtained = { fullchainFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
    writeFileSync(obtained.fullchainFile, bundle['tls.crt'] ?? '');
    writeFileSync(obtained.keyFile, bundle['tls.key'] ?? '', { mode: 0o600 });
    const { verdict, keyFits, names } = await judge(peers, obtained, roots);
    judged.push({ verdict, keyFits, names });
  }
  const { route53, keyWatch, problems } = deployment.twin;
  const txtRecords = route53.records(ZONE).filter(({ type }) => type === 'TXT').length;
  return { judged, txtRecords, keysSeen: keyWatch.findings.length, problems };
}

const SOUND: Proof = {
  judged: CERTIFICATES.map((name) => ({
    verdict: 'OK',
    keyFits: true,
    names: [`*.${name}.${ZONE}`, `${name}.${ZONE}`],
  })),
  txtRecords: 0,
  keysSeen: 0,
  problems: [],
};

describe('the whole pipeline', () => {
  it('issues from Pebble with its usual faults', async () => {
    const dnsPort = await freePort();
    const pebble = await startPebble(peers, { dnsServer: `127.0.0.1:${dnsPort}`, maxSleepSeconds: 2 });
    const deployment = await deployed(issuerYaml(pebble.directoryUrl, pebble.caFile), dnsPort);
    await untilCurrent(deployment);
    expect(await proofOf(deployment, await pebble.roots())).toEqual(SOUND);
  });

  it('issues from Pebble that wants an external account, once a person has put its key there', async () => {
    const dnsPort = await freePort();
    const hmacKey = randomBytes(32).toString('base64url');
    const pebble = await startPebble(peers, {
      dnsServer: `127.0.0.1:${dnsPort}`,
      noSleep: true,
      externalAccounts: { 'kid-1': hmacKey },
    });
    const binding = '    externalAccountBinding: { keyID: kid-1, keySecretRef: { name: peer-eab, key: secret } }\n';
    const deployment = await deployed(issuerYaml(pebble.directoryUrl, pebble.caFile, binding), dnsPort);
    await deployment.tick();
    expect((await deployment.record('shop')).failures).toMatchObject({
      blocked: true,
      last: { code: 'SecretMissing' },
    });
    await deployment.secrets.send(
      new CreateSecretCommand({
        Name: 'Everleaf/peer-eab',
        SecretString: JSON.stringify({ secret: hmacKey }),
        Tags: [{ Key: 'everleaf:deployment', Value: 'Everleaf' }],
      }),
    );
    // A person asks for another look; a day later, or at the next deploy, it would come by itself.
    for (const name of CERTIFICATES) await deployment.requestRenewal(name);
    await untilCurrent(deployment);
    expect(await proofOf(deployment, await pebble.roots())).toEqual(SOUND);
  });

  it('issues from step-ca', async () => {
    const dnsPort = await freePort();
    const stepCa = await startStepCa(peers, { dnsServer: `127.0.0.1:${dnsPort}` });
    const deployment = await deployed(issuerYaml(stepCa.directoryUrl, stepCa.rootFile), dnsPort);
    await untilCurrent(deployment);
    expect(await proofOf(deployment, [readFileSync(stepCa.rootFile, 'utf8')])).toEqual(SOUND);
  });
});
