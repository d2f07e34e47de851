import { X509Certificate } from 'node:crypto';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dailyOrderCap } from '../../functions/core/cap.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import { DROPPED } from '../../local/acme/exchange.ts';
import type { AcmeServer } from '../../local/acme/server.ts';
import { WRONG_LEAVES } from '../../local/pca/wrong-leaves.ts';
import {
  type AcmeDeployment,
  acmeIssuerYaml,
  deployWithAcme,
  documents,
  publicCertificateYaml,
} from '../support/acme-deployment.ts';
import { certificateYaml, type Deployment, deployOnTwin, GENERAL_CA, manifestOf } from '../support/deployment.ts';
import { letPass } from './days.ts';

/** What has happened to users of other programs, played here: how much was issued and asked for, what was told, how it ended. */

const HINT = JSON.stringify({ schemaVersion: '1', certificate: 'default/shop' });

async function withPca(certificate = certificateYaml('shop')): Promise<Deployment & { issued(): number }> {
  const deployment = await deployOnTwin({ manifest: manifestOf(certificate) });
  onTestFinished(() => deployment.close());
  return { ...deployment, issued: () => deployment.pca.issued(GENERAL_CA).length };
}

async function withAcme(): Promise<AcmeDeployment> {
  const manifest = documents(acmeIssuerYaml(), publicCertificateYaml('shop'));
  const deployment = await deployWithAcme({ manifest });
  onTestFinished(() => deployment.close());
  return deployment;
}

/** How often functions called an operation that the server let through. */
const calls = ({ twin }: Deployment, operation: string): number =>
  twin.calls.filter((call) => call.operation === operation && call.principal.includes('Issue')).length;

/** Events of one kind that reached the bus. */
function eventsOf({ twin }: Deployment): { readonly [detailType: string]: number } {
  const told: Record<string, number> = {};
  twin.use(async (call, next) => {
    const answer = await next();
    if (call.operation === 'PutEvents' && answer.status === 200) {
      for (const { DetailType } of call.input['Entries'] as { DetailType: string }[]) {
        told[DetailType] = (told[DetailType] ?? 0) + 1;
      }
    }
    return answer;
  });
  return told;
}

const DAILY_CAP = dailyOrderCap(90 * 86_400);

describe('issuance storms', () => {
  // https://github.com/cert-manager/aws-privateca-issuer/issues/479
  it('14,400 issuances an hour: the receipt of every order is lost for ten hours', async () => {
    const shop = await withPca();
    const told = eventsOf(shop);
    const asked = new Set<string>();
    let isLosing = true;
    shop.twin.use(async (call, next) => {
      const answer = await next();
      if (call.operation !== 'IssueCertificate') return answer;
      asked.add(JSON.stringify([call.input['IdempotencyToken'], call.input['Validity'], call.input['Csr']]));
      if (isLosing) await call.killCaller();
      return answer;
    });
    await shop.tick();
    await letPass(shop, 10 * HOUR_MS);
    expect(shop.issued()).toBeLessThanOrEqual(DAILY_CAP);
    expect(shop.issued()).toBeGreaterThan(1);
    // Every repeat asked for the very same thing.
    expect(asked.size).toBe(1);
    expect(calls(shop, 'IssueCertificate')).toBeLessThanOrEqual(DAILY_CAP);
    isLosing = false;
    await letPass(shop, DAY_MS);
    expect((await shop.record('shop')).generation).toBe(1);
    expect(told['Certificate Rotated']).toBe(1);
    expect(told['Certificate Renewal Failed']).toBe(1);
  });

  // https://github.com/cert-manager/cert-manager/issues/8380
  it('an issuer that answers with a certificate for another key: one a day, and a person told', async () => {
    const shop = await withPca();
    const told = eventsOf(shop);
    shop.pca.misissue = WRONG_LEAVES.anotherKey;
    await shop.tick();
    await letPass(shop, 7 * DAY_MS);
    expect(shop.issued()).toBeLessThanOrEqual(8);
    expect(told).toEqual({
      'Certificate Renewal Due': expect.any(Number) as number,
      'Certificate Renewal Failed': shop.issued(),
    });
    expect((await shop.record('shop')).failures).toMatchObject({ blocked: true, last: { code: 'GateRefused' } });
    shop.pca.misissue = undefined;
    await letPass(shop, DAY_MS);
    expect((await shop.record('shop')).generation).toBe(1);
  });

  // https://github.com/cert-manager/cert-manager/issues/7741
  it('an expired CA: nothing is ordered, it is looked at daily, and its successor is used at once', async () => {
    const shop = await withPca();
    let hasExpired = true;
    shop.twin.use(async (call, next) => {
      const answer = await next();
      if (!hasExpired || call.operation !== 'DescribeCertificateAuthority') return answer;
      const described = JSON.parse(String(answer.body)) as { CertificateAuthority: object };
      const CertificateAuthority = { ...described.CertificateAuthority, NotAfter: (shop.now() - DAY_MS) / SECOND_MS };
      return { ...answer, body: JSON.stringify({ CertificateAuthority }) };
    });
    await shop.tick();
    await letPass(shop, 7 * DAY_MS);
    expect(calls(shop, 'IssueCertificate')).toBe(0);
    expect(calls(shop, 'DescribeCertificateAuthority')).toBeLessThanOrEqual(8);
    expect((await shop.record('shop')).failures).toMatchObject({ blocked: true, last: { code: 'CaExpiresTooSoon' } });
    hasExpired = false;
    // A deploy is a look.
    await shop.deploy(manifestOf(certificateYaml('shop'), certificateYaml('other')));
    await letPass(shop, 6 * MINUTE_MS);
    expect((await shop.record('shop')).generation).toBe(1);
    expect(calls(shop, 'IssueCertificate')).toBe(2);
  });

  // https://github.com/cert-manager/cert-manager/issues/3603
  it('six requests in a minute: one order', async () => {
    const shop = await withPca();
    shop.pca.issuanceDelay = 3;
    for (let second = 0; second < 60; second += 10) {
      await shop.sendHint(HINT);
      await Promise.all([shop.tick(), shop.sendHint(HINT)]);
      await shop.advance(10 * SECOND_MS);
    }
    expect(shop.issued()).toBe(1);
    expect((await shop.record('shop')).generation).toBe(1);
  });

  // https://github.com/cert-manager/cert-manager/issues/6714
  it('an issuer that is changed back and forth: one order a certificate for each change that stays', async () => {
    const shop = await withPca();
    await shop.tick();
    const renamed = manifestOf(certificateYaml('shop')).replaceAll('name: internal', 'name: renamed');
    for (let round = 0; round < 3; round++) {
      await shop.deploy(renamed);
      await shop.deploy(manifestOf(certificateYaml('shop')));
    }
    await shop.tick();
    expect(shop.issued()).toBe(1);
    await shop.deploy(renamed);
    await shop.tick();
    expect(shop.issued()).toBe(2);
  });
});

describe('a secret', () => {
  // https://github.com/cert-manager/website/issues/2128
  it('that another program writes over, every hour: it is not fought over, and a person is told when it matters', async () => {
    const shop = await withPca();
    const told = eventsOf(shop);
    await shop.tick();
    const ours = await shop.bundle('shop');
    const clobber = (): Promise<unknown> =>
      shop.secrets.send(new PutSecretValueCommand({ SecretId: 'Everleaf/shop-tls', SecretString: '{"theirs":true}' }));
    for (let hour = 0; hour < 24; hour++) {
      await clobber();
      await letPass(shop, HOUR_MS);
    }
    expect(shop.issued()).toBe(1);
    await shop.requestRenewal('shop');
    await letPass(shop, 3 * DAY_MS);
    // One certificate, kept: its promotion is tried again, nothing is issued for it.
    expect(shop.issued()).toBe(2);
    expect((await shop.record('shop')).failures.last).toMatchObject({ code: 'SecretChangedElsewhere' });
    expect(told['Certificate Renewal Failed']).toBeLessThanOrEqual(4);
    await shop.secrets.send(
      new PutSecretValueCommand({ SecretId: 'Everleaf/shop-tls', SecretString: JSON.stringify(ours) }),
    );
    await letPass(shop, DAY_MS + MINUTE_MS);
    expect((await shop.record('shop')).generation).toBe(2);
    expect(shop.issued()).toBe(2);
  });
});

describe('failures that never heal', () => {
  // https://github.com/cert-manager/cert-manager/issues/6378, https://github.com/cert-manager/cert-manager/issues/7639
  it('failed once, failed for ever: an issuer that was down once is asked again by itself', async () => {
    const shop = await withPca();
    let isDown = true;
    shop.twin.use(async (call, next) =>
      isDown && call.service === 'acm-pca' ? { status: 500, headers: {}, body: '{}' } : next(),
    );
    await shop.tick();
    await letPass(shop, 5 * DAY_MS);
    expect((await shop.record('shop')).generation).toBe(0);
    isDown = false;
    await letPass(shop, DAY_MS);
    expect((await shop.record('shop')).generation).toBe(1);
    expect(shop.issued()).toBe(1);
  });

  // https://github.com/cert-manager/cert-manager/issues/5602, https://github.com/cert-manager/cert-manager/issues/5917
  it('the stuck order: it is left after a day, and another one placed', async () => {
    const shop = await withAcme();
    shop.ca.settings.finalizeLooks = 1_000_000;
    await shop.tick();
    await letPass(shop, 12 * HOUR_MS);
    expect(ordersAt(shop.ca)).toBe(1);
    const looks = shop.ca.requests.filter(({ resource }) => resource === 'order').length;
    expect(looks).toBeLessThan(170);
    shop.ca.settings.finalizeLooks = 0;
    // The one that is stuck stays so.
    shop.ca.use(async ({ resource }, next) => {
      const answer = await next();
      const isStuck = resource === 'order' && ordersAt(shop.ca) === 1;
      return isStuck ? { ...answer, body: String(answer.body).replace('"valid"', '"processing"') } : answer;
    });
    await letPass(shop, 14 * HOUR_MS);
    expect(ordersAt(shop.ca)).toBe(2);
    expect((await shop.record('shop')).generation).toBe(1);
  });
});

const ordersAt = ({ requests }: AcmeServer): number =>
  requests.filter(({ resource, status = 0 }) => resource === 'newOrder' && status === 201).length;

describe('renewal information', () => {
  // https://github.com/caddyserver/certmagic/issues/334
  it('the 409 loop: a certificate that has a successor already is ordered without saying what it replaces', async () => {
    const shop = await withAcme();
    await shop.tick();
    shop.requests();
    shop.ca.use(async (call, next) => {
      const isReplacing = call.resource === 'newOrder' && payloadOf(call.body).includes('"replaces"');
      if (!isReplacing) return next();
      return {
        status: 409,
        headers: { 'content-type': 'application/problem+json' },
        body: JSON.stringify({ type: 'urn:ietf:params:acme:error:alreadyReplaced', detail: 'it has one' }),
      };
    });
    await shop.requestRenewal('shop');
    await letPass(shop, HOUR_MS);
    expect(shop.requests().filter((resource) => resource === 'newOrder')).toHaveLength(2);
    const { generation, failures } = await shop.record('shop');
    expect({ generation, failures: failures.count }).toEqual({ generation: 2, failures: 0 });
  });

  // https://github.com/cert-manager/cert-manager/issues/8993
  it('the stale answer: a CA that calls back every leaf, however new, gets one order a day', async () => {
    const shop = await withAcme();
    const told = eventsOf(shop);
    await shop.tick();
    const stale = { start: shop.now() - 2 * DAY_MS, end: shop.now() - DAY_MS };
    shop.ca.settings.renewalInfo = () => stale;
    await letPass(shop, 7 * DAY_MS);
    expect(shop.ca.issued.length).toBeLessThanOrEqual(1 + 2 + 7);
    expect(shop.ca.issued.length).toBeGreaterThan(3);
    expect(told['Certificate Renewal Failed']).toBeUndefined();
    shop.ca.settings.renewalInfo = undefined;
    const before = shop.ca.issued.length;
    await letPass(shop, 7 * DAY_MS);
    expect(shop.ca.issued.length).toBeLessThanOrEqual(before + 1);
  });

  // https://github.com/letsencrypt/boulder/issues/8717
  it('that is answered by 503 is asked for again in hours, and keeps nothing from being renewed', async () => {
    const shop = await withAcme();
    shop.ca.settings.renewalInfo = () => ({ errorStatus: 503 });
    await shop.tick();
    await letPass(shop, 2 * DAY_MS);
    expect(shop.requests().filter((resource) => resource === 'renewalInfo').length).toBeLessThanOrEqual(9);
    await letPass(shop, 60 * DAY_MS);
    expect((await shop.record('shop')).generation).toBe(2);
  });
});

const payloadOf = (body: string): string =>
  Buffer.from((JSON.parse(body) as { payload: string }).payload, 'base64url').toString();

describe('clocks', () => {
  // https://github.com/istio/istio/issues/32176
  it('that drift: a leaf that begins half a minute from now is promoted when it is valid, not refused', async () => {
    const shop = await withPca();
    shop.pca.misissue = (honest) => ({ ...honest, notBefore: shop.now() + 30 * SECOND_MS });
    await shop.tick();
    expect((await shop.record('shop')).generation).toBe(0);
    await letPass(shop, 2 * MINUTE_MS);
    const { generation, failures } = await shop.record('shop');
    expect({ generation, failures: failures.count }).toEqual({ generation: 1, failures: 0 });
    expect(shop.issued()).toBe(1);
  });

  // https://github.com/cert-manager/cert-manager/issues/8464
  it('that stood still: after a suspension of weeks the first tick renews', async () => {
    const shop = await withPca();
    await shop.tick();
    await shop.advance(75 * DAY_MS);
    expect((await shop.record('shop')).generation).toBe(2);
    expect(shop.issued()).toBe(2);
  });
});

describe('identity', () => {
  // AWS Certificate Manager keeps the ARN when it renews: an ARN does not tell one certificate from another.
  it('mixed up: versions are told apart by fingerprint, and a CA that answers with the previous leaf is refused', async () => {
    const shop = await withPca();
    await shop.tick();
    const [first] = shop.pca.issued(GENERAL_CA);
    const before = await shop.record('shop');
    let isMixedUp = true;
    shop.twin.use(async (call, next) => {
      const answer = await next();
      if (!isMixedUp || call.operation !== 'GetCertificate') return answer;
      return { ...answer, body: JSON.stringify({ Certificate: first?.certificate, CertificateChain: first?.chain }) };
    });
    await shop.requestRenewal('shop');
    await letPass(shop, HOUR_MS);
    expect((await shop.record('shop')).failures.last).toMatchObject({ code: 'GateRefused' });
    expect((await shop.bundle('shop'))['tls.crt']).toContain(first?.certificate.trim().split('\n')[1]);
    isMixedUp = false;
    await letPass(shop, DAY_MS);
    const after = await shop.record('shop');
    expect(after.generation).toBe(2);
    expect(after.current?.leaf.sha256Fingerprint).not.toBe(before.current?.leaf.sha256Fingerprint);
    expect(after.previous).toEqual(before.current);
    const served = new X509Certificate((await shop.bundle('shop'))['tls.crt'] ?? '');
    expect(served.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(
      after.current?.leaf.sha256Fingerprint.toLowerCase(),
    );
  });
});

describe('a CA whose answers are lost', () => {
  it('is asked a handful of times a day', async () => {
    const shop = await withAcme();
    shop.ca.use(async (call, next) => (call.resource === 'newOrder' ? (await next(), DROPPED) : next()));
    await shop.tick();
    await letPass(shop, DAY_MS);
    expect(shop.requests().filter((resource) => resource === 'newOrder').length).toBeLessThanOrEqual(2 * DAILY_CAP);
    expect(shop.ca.issued).toHaveLength(0);
  });
});
