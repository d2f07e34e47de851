import { createPrivateKey, X509Certificate } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../functions/core/time.ts';
import { certificateYaml, type Deployment, deployOnTwin, GENERAL_CA, manifestOf } from '../support/deployment.ts';

describe('the journey of a certificate, by the app and the bundles that are deployed', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await deployOnTwin({
      manifest: manifestOf(certificateYaml('shop'), certificateYaml('brief', '  duration: 144h\n')),
      pastDays: 5,
    });
    await deployment.tick();
  });
  afterAll(() => deployment.close());

  it('ends in a bundle that a server can serve and a client that knows the root accepts', async () => {
    const bundle = await deployment.bundle('shop');
    const server = createServer({ cert: bundle['tls.crt'], key: bundle['tls.key'] }, (socket) => socket.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      servername: 'shop.internal.example',
      ca: bundle['ca.crt'],
    });
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(true);
    expect(client.getPeerX509Certificate()?.fingerprint256).toBe(
      new X509Certificate(bundle['tls.crt'] ?? '').fingerprint256,
    );
    client.destroy();
    server.close();
    await once(server, 'close');
  });

  it('stores leaf and intermediate, the key in PKCS#8 and the root beside them', async () => {
    const bundle = await deployment.bundle('shop');
    expect(bundle['tls.crt']?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(bundle['tls.key']).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(createPrivateKey(bundle['tls.key'] ?? '').asymmetricKeyType).toBe('ec');
    expect(bundle['ca.crt']?.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    expect(bundle['everleaf']).toMatchObject({ certificate: 'default/shop', generation: 1 });
  });

  it('leaves one label on the version in use and none pending', async () => {
    const { current } = await deployment.record('shop');
    expect(await deployment.stages('shop')).toMatchObject({ [current?.version ?? '']: ['AWSCURRENT'] });
    expect(
      Object.values(await deployment.stages('shop'))
        .flat()
        .sort(),
    ).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
  });

  it('renews only what is due when the clock moves on', async () => {
    const before = [await deployment.record('shop'), await deployment.record('brief')];
    await deployment.advance(4 * DAY_MS);
    const [shop, brief] = [await deployment.record('shop'), await deployment.record('brief')];
    expect(shop).toEqual(before[0]);
    expect(brief.generation).toBe(2);
    expect(await deployment.stages('brief')).toMatchObject({
      [brief.current?.version ?? '']: ['AWSCURRENT'],
      [before[1]?.current?.version ?? '']: ['AWSPREVIOUS'],
    });
    const issued = deployment.pca.issued(GENERAL_CA);
    expect(issued).toHaveLength(3);
  });

  it('renews on request, in the calls that docs/architecture.md counts', async () => {
    await deployment.requestRenewal('shop');
    const before = deployment.twin.calls.length;
    await deployment.tick();
    expect((await deployment.record('shop')).generation).toBe(2);
    const counts = new Map<string, number>();
    const calls = deployment.twin.calls.slice(before);
    const ordering = calls.find(({ operation }) => operation === 'IssueCertificate')?.invocationId;
    const ofRenewal = calls.filter((call) => call.principal.includes('Detect') || call.invocationId === ordering);
    for (const { operation, principal } of ofRenewal) {
      const caller = principal.includes('Detect') ? 'detect' : 'issue';
      counts.set(`${caller} ${operation}`, (counts.get(`${caller} ${operation}`) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({
      'detect Query': 8,
      'detect GetItem': 2,
      'detect PutEvents': 1,
      'issue GetItem': 3,
      'issue PutItem': 6,
      'issue UpdateItem': 2,
      'issue IssueCertificate': 1,
      'issue GetCertificate': 1,
      'issue DescribeSecret': 2,
      'issue GetSecretValue': 1,
      'issue PutSecretValue': 2,
      'issue UpdateSecretVersionStage': 2,
      'issue PutEvents': 1,
    });
  });

  it('revokes on request, once the successor is current', async () => {
    const { leaf } = await deployment.requestRevocation('brief');
    await deployment.tick();
    expect((await deployment.record('brief')).previous?.revocation).toMatchObject({ reason: 'superseded' });
    const revoked = deployment.pca.issued(GENERAL_CA).filter((leaf) => leaf.revoked !== undefined);
    expect(revoked.map(({ serial }) => serial.toUpperCase())).toEqual([leaf.serialNumber]);
  });

  it('shows no private key anywhere but in the secret store, and no call is denied', () => {
    expect(deployment.twin.keyWatch.findings).toEqual([]);
    expect(deployment.twin.problems).toEqual([]);
    expect(deployment.twin.calls.filter(({ errorCode }) => errorCode?.includes('AccessDenied'))).toEqual([]);
  });

  it('uses every grant of every role, but the one that a slow CA needs', () => {
    const unused = deployment.twin.unusedGrants().map(({ action }) => action);
    expect(unused).toEqual(['sqs:SendMessage']);
  });
});
