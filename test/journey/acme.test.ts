import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { issuerIdOf } from '../../functions/core/certificate.ts';
import { verifyChain } from '../../functions/core/x509/chain.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';
import { splitCertificates } from '../../functions/core/x509/pem.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import { DROPPED } from '../../local/acme/exchange.ts';
import { AcmeServer } from '../../local/acme/server.ts';
import {
  type AcmeDeployment,
  type AcmeDeploymentOptions,
  acmeIssuerYaml,
  deployWithAcme,
  documents,
  LETS_ENCRYPT,
  publicCertificateYaml,
  ZONE,
} from '../support/acme-deployment.ts';

async function deployed(options: Partial<AcmeDeploymentOptions> = {}): Promise<AcmeDeployment> {
  const manifest = documents(acmeIssuerYaml(), publicCertificateYaml('shop'));
  const deployment = await deployWithAcme({ manifest, ...options });
  onTestFinished(() => deployment.close());
  return deployment;
}

const txtRecords = ({ twin }: AcmeDeployment): readonly string[] =>
  twin.route53.records(ZONE).flatMap(({ type, name }) => (type === 'TXT' ? [name] : []));

const ordered = (requests: readonly string[]): readonly string[] => requests.filter((each) => each === 'newOrder');

describe('a certificate from an ACME CA, by the app and the bundles that are deployed', () => {
  let deployment: AcmeDeployment;
  const wildcard = '  commonName: site.acme.example\n';
  beforeAll(async () => {
    const site = publicCertificateYaml('site', wildcard).replace(`[site.${ZONE}]`, `[site.${ZONE}, '*.site.${ZONE}']`);
    const manifest = documents(
      acmeIssuerYaml(),
      acmeIssuerYaml('    profile: shortlived\n', 'brief'),
      site,
      publicCertificateYaml('brief', '', 'brief'),
    );
    deployment = await deployWithAcme({ manifest, pastDays: 80 });
    deployment.twin.route53.propagationLooks = 1;
    await deployment.tick();
  });
  afterAll(() => deployment.close());

  it('is stored with the chain that the CA sent, and leads to its root', async () => {
    const bundle = await deployment.bundle('site');
    expect(bundle['ca.crt']).toBe('');
    const [leaf, ...intermediates] = splitCertificates(bundle['tls.crt'] ?? '').map(readCertificate);
    if (leaf === undefined) throw new Error('no leaf');
    expect(leaf.dnsNames.toSorted()).toEqual([`*.site.${ZONE}`, `site.${ZONE}`]);
    const roots = deployment.ca.roots.map(readCertificate);
    expect(verifyChain(leaf, intermediates, roots, deployment.now()).trusted).toBe(true);
  });

  it('leaves nothing in DNS, and its account key in a secret of its own', async () => {
    expect(txtRecords(deployment)).toEqual([]);
    expect(
      deployment.twin.calls.filter(({ operation }) => operation === 'ChangeResourceRecordSets').length,
    ).toBeGreaterThan(0);
    const account = await deployment.bundle('public', { SecretId: 'Everleaf/public-account' });
    expect(account['tls.key']).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(Object.values(account['everleaf.accounts'] ?? {})).toEqual([expect.stringContaining('https://acme-v02')]);
  });

  it('is renewed at the instant that was drawn from the window the CA suggests, and says what it replaces', async () => {
    const { current } = await deployment.record('brief');
    const { window, renewAt = 0 } = current?.renewalInfo ?? {};
    expect(renewAt).toBeGreaterThanOrEqual(window?.start ?? Infinity);
    expect(renewAt).toBeLessThan(window?.end ?? 0);
    await deployment.advance(Math.ceil(renewAt - deployment.now()) - MINUTE_MS);
    expect((await deployment.record('brief')).generation).toBe(1);
    await deployment.advance(2 * MINUTE_MS);
    expect((await deployment.record('brief')).generation).toBe(2);
    expect(deployment.ca.issued.at(-1)).toMatchObject({
      dnsNames: [`brief.${ZONE}`],
      profile: 'shortlived',
      replaces: expect.stringMatching(/./) as unknown,
    });
  });

  it('is replaced at once when the CA says so, as it does before it revokes', async () => {
    const before = await deployment.record('site');
    deployment.ca.settings.renewalInfo = () => ({
      start: deployment.now() - DAY_MS,
      end: deployment.now() - HOUR_MS,
      explanationURL: 'https://ca.example/incident',
    });
    await deployment.advance(6 * HOUR_MS + MINUTE_MS);
    await deployment.advance(MINUTE_MS);
    const { generation, history } = await deployment.record('site');
    expect(generation).toBe(before.generation + 1);
    expect(history.map(({ cause }) => cause).join('\n')).toContain('https://ca.example/incident');
    // Its successor is not due because the CA still says so: no leaf is within an hour of its making.
    await deployment.advance(MINUTE_MS);
    expect((await deployment.record('site')).generation).toBe(generation);
    deployment.ca.settings.renewalInfo = undefined;
  });

  it('shows no private key anywhere but in the secret store, and no call is denied', () => {
    expect(deployment.twin.keyWatch.findings).toEqual([]);
    expect(deployment.twin.problems).toEqual([]);
    expect(deployment.twin.calls.filter(({ errorCode }) => errorCode?.includes('AccessDenied'))).toEqual([]);
  });

  it('uses every grant of every role', () => {
    const unused = deployment.twin.unusedGrants().map(({ action }) => action);
    expect(unused.filter((action) => !action.startsWith('sqs:'))).toEqual([]);
  });
});

describe('when the CA', () => {
  it('limits the rate, one order is tried, and none again before the second it names', async () => {
    const deployment = await deployed();
    let limited = true;
    deployment.ca.settings.rateLimit = (resource) =>
      resource === 'newOrder' && limited ? { detail: 'too many', retryAfterSeconds: 7_200 } : undefined;
    await deployment.tick();
    expect(ordered(deployment.requests())).toHaveLength(1);
    const { retryAfter = 0, orders } = await deployment.record('shop');
    expect(orders).toEqual([]);
    for (let minute = 0; minute < 115; minute++) await deployment.advance(MINUTE_MS);
    await deployment.deploy(documents(acmeIssuerYaml('    email: a@acme.example\n'), publicCertificateYaml('shop')));
    await deployment.advance(Math.max(0, retryAfter - deployment.now() - 1_000));
    expect(deployment.requests()).toEqual([]);
    limited = false;
    await deployment.advance(MINUTE_MS);
    expect(ordered(deployment.requests())).toHaveLength(1);
    expect((await deployment.record('shop')).generation).toBe(1);
  });

  it('is down for a day, it is asked a handful of times, and the certificate comes by itself', async () => {
    const deployment = await deployed();
    let isDown = true;
    deployment.ca.use(async (_call, next) => (isDown ? DROPPED : next()));
    for (let tick = 0; tick < 24 * 6; tick++) await deployment.advance(10 * MINUTE_MS);
    const { failures, current } = await deployment.record('shop');
    expect(current).toBeUndefined();
    expect(failures).toMatchObject({ blocked: false, last: { code: 'CaUnreachable' } });
    // At once, after 1, 10 and 100 minutes, and daily from then on.
    expect(deployment.requests()).toEqual(['unknown', 'unknown', 'unknown', 'unknown'].map(() => 'directory'));
    isDown = false;
    await deployment.advance(DAY_MS);
    expect((await deployment.record('shop')).generation).toBe(1);
    expect(ordered(deployment.requests())).toHaveLength(1);
  });

  it('cannot validate a name, the authorization and the record are gone, and it is tried again in good time', async () => {
    const deployment = await deployed();
    const { twin } = deployment;
    // The world sees another zone than the one that is written to.
    twin.dns.failing = (name) => name.startsWith('_acme-challenge');
    await deployment.tick();
    const failed = await deployment.record('shop');
    expect(failed.failures.last).toMatchObject({ class: 'transient', code: 'ValidationFailed' });
    expect(failed.attempt).toBeUndefined();
    expect(failed.abandoned).toBeUndefined();
    expect(txtRecords(deployment)).toEqual([]);
    twin.dns.failing = undefined;
    await deployment.advance(2 * MINUTE_MS);
    expect((await deployment.record('shop')).generation).toBe(1);
  });

  it('signs what nobody asked for, the gate refuses, the record is gone, and a day passes', async () => {
    const deployment = await deployed();
    const { WRONG_LEAVES } = await import('../../local/pca/wrong-leaves.ts');
    deployment.ca.settings.misissue = WRONG_LEAVES.anotherKey;
    await deployment.tick();
    for (let tick = 0; tick < 20; tick++) await deployment.advance(HOUR_MS);
    expect((await deployment.record('shop')).failures).toMatchObject({ blocked: true, last: { code: 'GateRefused' } });
    expect(deployment.ca.issued).toHaveLength(1);
    expect(txtRecords(deployment)).toEqual([]);
    deployment.ca.settings.misissue = undefined;
    for (let tick = 0; tick < 6; tick++) await deployment.advance(HOUR_MS);
    expect((await deployment.record('shop')).generation).toBe(1);
  });

  it('takes minutes to sign, the order is asked for as the CA says, and is not placed again', async () => {
    const deployment = await deployed();
    deployment.ca.settings.finalizeLooks = 4;
    deployment.ca.settings.retryAfterSeconds = 120;
    await deployment.tick();
    for (let minute = 0; minute < 12; minute++) await deployment.advance(MINUTE_MS);
    expect((await deployment.record('shop')).generation).toBe(1);
    const requests = deployment.requests();
    expect(ordered(requests)).toHaveLength(1);
    expect(requests.filter((each) => each === 'order').length).toBeLessThanOrEqual(7);
  });
});

describe('when an account', () => {
  it('is lost by a CA that is made anew, twice, it is registered again each time', async () => {
    const deployment = await deployed();
    const { twin } = deployment;
    await deployment.tick();
    const { hostname } = new URL(LETS_ENCRYPT);
    for (const round of [1, 2]) {
      const ca = await AcmeServer.start({ clock: twin.clock, dnsServer: twin.dns.address, hosts: [hostname] });
      onTestFinished(() => ca.close());
      twin.network.standIn(hostname, ca.port);
      twin.network.trust(ca.tlsRoot);
      // A function that knows the old one's connections, and trusts it, is not there any more.
      let isWarm = true;
      twin.use(async (call, next) => {
        if (isWarm && call.principal.includes('Issue')) await call.killCaller();
        isWarm &&= !call.principal.includes('Issue');
        return next();
      });
      await deployment.requestRenewal('shop');
      for (let minute = 0; minute < 20; minute++) await deployment.advance(MINUTE_MS);
      expect((await deployment.record('shop')).generation).toBe(1 + round);
      expect(ca.requests.filter(({ resource }) => resource === 'newAccount')).toHaveLength(1);
    }
  });
});

describe('when a worker dies', () => {
  it('in each try to give something back, the certificate is renewed all the same', async () => {
    const deployment = await deployed();
    const { twin } = deployment;
    twin.route53.propagationLooks = 1_000;
    await deployment.tick();
    twin.route53.propagationLooks = 0;
    let deaths = 0;
    twin.use(async (call, next) => {
      const isRemoval = call.operation === 'ChangeResourceRecordSets' && JSON.stringify(call.input).includes('DELETE');
      if (!isRemoval || !JSON.stringify(call.input).includes(`shop.${ZONE}`)) return next();
      deaths++;
      await call.killCaller();
      return next();
    });
    await deployment.deploy(
      documents(acmeIssuerYaml(), publicCertificateYaml('shop').replace(`[shop.${ZONE}]`, `[other.${ZONE}]`)),
    );
    for (let minute = 0; minute < 15; minute++) await deployment.advance(MINUTE_MS);
    const { generation, abandoned } = await deployment.record('shop');
    expect(generation).toBe(1);
    expect(deaths).toBeGreaterThan(1);
    expect(abandoned).toMatchObject([{ tries: deaths }]);
  });
});

describe('when Route 53', () => {
  it('is down, nobody leaves the CA alone for it', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `c${index}`);
    const deployment = await deployed({
      manifest: documents(acmeIssuerYaml(), ...names.map((name) => publicCertificateYaml(name))),
    });
    deployment.twin.use(async (call, next) =>
      call.operation === 'ChangeResourceRecordSets' ? { status: 503, headers: {}, body: '' } : next(),
    );
    await deployment.tick();
    const records = await Promise.all(names.map((name) => deployment.record(name)));
    expect(records.map(({ failures }) => failures.last?.code)).toEqual(names.map(() => 'ServiceFailed'));
    const issuer = await deployment.operator.inventory.readIssuer(
      issuerIdOf({ group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'public' }),
    );
    expect(issuer?.value.breaker.failures).toBe(0);
  });

  it('throttles, the order waits for it, and nothing counts against the CA', async () => {
    const deployment = await deployed();
    let refused = 0;
    deployment.twin.route53.throttle = (operation) => operation === 'ChangeResourceRecordSets' && refused++ < 6;
    await deployment.tick();
    for (let minute = 0; minute < 3; minute++) await deployment.advance(MINUTE_MS);
    const { generation, failures } = await deployment.record('shop');
    expect({ generation, failures: failures.count }).toEqual({ generation: 1, failures: 0 });
  });

  it('will not take a record back, the certificate is served all the same, and the record goes later', async () => {
    const deployment = await deployed();
    let refusing = true;
    deployment.twin.use(async (call, next) => {
      const text = JSON.stringify(call.input);
      if (refusing && call.operation === 'ChangeResourceRecordSets' && text.includes('DELETE')) {
        return { status: 500, headers: {}, body: '' };
      }
      return next();
    });
    await deployment.tick();
    const stored = await deployment.record('shop');
    expect(stored.generation).toBe(1);
    expect(stored.abandoned).toHaveLength(1);
    expect(txtRecords(deployment)).toEqual([`_acme-challenge.shop.${ZONE}.`]);
    refusing = false;
    await deployment.advance(3 * MINUTE_MS);
    expect(txtRecords(deployment)).toEqual([]);
    expect((await deployment.record('shop')).abandoned).toBeUndefined();
  });

  it('has no zone for a name, that certificate alone is blocked, and told what to do', async () => {
    const nowhere = publicCertificateYaml('nowhere').replace(`nowhere.${ZONE}`, 'nowhere.example.org');
    const deployment = await deployed({
      manifest: documents(acmeIssuerYaml(), publicCertificateYaml('shop'), nowhere),
    });
    await deployment.tick();
    expect((await deployment.record('shop')).generation).toBe(1);
    expect((await deployment.record('nowhere')).failures).toMatchObject({
      blocked: true,
      last: { code: 'NoZone', message: expect.stringContaining('hostedZoneID') as unknown },
    });
    const pending = deployment.ca.requests.filter(({ resource }) => resource === 'authorization');
    expect(pending.at(-1)?.status).toBe(200);
  });
});

describe('a name whose zone is elsewhere', () => {
  const following = acmeIssuerYaml().replace(
    '{ dns01: { route53: {} } }',
    '{ dns01: { cnameStrategy: Follow, route53: {} } }',
  );
  const manifest = documents(following, publicCertificateYaml('shop').replace(`shop.${ZONE}`, 'shop.example.net'));

  it('is proved where its CNAME leads', async () => {
    const deployment = await deployed({ manifest });
    deployment.twin.route53.addZone('example.net');
    deployment.twin.route53.addCname('_acme-challenge.shop.example.net', `a.${ZONE}`);
    deployment.twin.route53.addCname(`a.${ZONE}`, `b.${ZONE}`);
    await deployment.tick();
    expect((await deployment.record('shop')).generation).toBe(1);
    const [leaf] = splitCertificates((await deployment.bundle('shop'))['tls.crt'] ?? '');
    expect(new X509Certificate(leaf ?? '').subjectAltName).toBe('DNS:shop.example.net');
    expect(txtRecords(deployment)).toEqual([]);
  });

  it('is not looked for for ever where its CNAMEs lead in a circle', async () => {
    const deployment = await deployed({ manifest });
    deployment.twin.route53.addZone('example.net');
    deployment.twin.route53.addCname('_acme-challenge.shop.example.net', `a.${ZONE}`);
    deployment.twin.route53.addCname(`a.${ZONE}`, '_acme-challenge.shop.example.net');
    await deployment.tick();
    const [name, circle] = ['_acme-challenge.shop.example.net', `a.${ZONE}`];
    expect((await deployment.record('shop')).failures).toMatchObject({
      blocked: true,
      last: { code: 'CnameLoop', message: expect.stringContaining(`: ${name} → ${circle} → ${name};`) as unknown },
    });
  });
});
