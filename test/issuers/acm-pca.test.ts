import { randomUUID, X509Certificate } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { attemptId, type CertificateSpec, type Usage } from '../../functions/core/certificate.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import type { Issuer, SigningRequest, Ticket } from '../../functions/core/ports.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import { verifyChain, readCertificates } from '../../functions/core/x509/chain.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';
import { splitCertificates } from '../../functions/core/x509/pem.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { acmPcaIssuer } from '../../functions/issuers/acm-pca/issuer.ts';
import { templateFor } from '../../functions/issuers/acm-pca/templates.ts';
import type { KeyAlgorithm } from '../../local/pca/keys.ts';
import { AcmPca } from '../../local/services/acm-pca.ts';
import { AwsError, type ServiceCall } from '../../local/wire/service.ts';
import { aSpec, NOON } from '../support/builders.ts';
import { ACCOUNT_ID, JsonEndpoint, REGION } from '../twin/json-endpoint.ts';

const KEY = keyHandle(await generateKey({ algorithm: 'ECDSA', sizeBits: 256 }));
const arnOf = (last: number): string =>
  `arn:aws:acm-pca:${REGION}:${ACCOUNT_ID}:certificate-authority/11111111-2222-3333-4444-00000000000${last}`;
const [EC_CA, RSA_CA, P384_CA, SHORT_CA, ENDING_CA] = [arnOf(1), arnOf(2), arnOf(3), arnOf(4), arnOf(5)];
const CA_END = NOON + 50 * DAY_MS;

let service: AcmPca;
let endpoint: JsonEndpoint;
/** What the service was asked, in order. */
let calls: ServiceCall[];
/** While set, may answer instead of the service. */
let interfere: ((operation: string) => void) | undefined;
/** What is answered with nothing in it. */
let empty: string | undefined;

beforeEach(async () => {
  service = new AcmPca({
    certificateAuthorities: [
      { arn: EC_CA },
      { arn: RSA_CA, keyAlgorithm: 'RSA_2048' },
      { arn: P384_CA, keyAlgorithm: 'EC_secp384r1' },
      { arn: SHORT_CA, usageMode: 'SHORT_LIVED_CERTIFICATE' },
      { arn: ENDING_CA, notAfter: CA_END },
    ],
    now: () => NOON,
  });
  service.issuanceDelay = 0;
  [calls, interfere, empty] = [[], undefined, undefined];
  const watched = {
    signingName: service.signingName,
    handle: (call: ServiceCall) => {
      calls.push(call);
      interfere?.(call.operation);
      return call.operation === empty ? Promise.resolve({}) : service.handle(call);
    },
  };
  endpoint = await JsonEndpoint.start(watched, NOON);
  vi.stubEnv('AWS_ENDPOINT_URL', endpoint.settings.endpoint);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await endpoint.stop();
});

const issuerFor = (certificateAuthorityArn = EC_CA): Issuer =>
  acmPcaIssuer({ certificateAuthorityArn, region: REGION }, async () => endpoint.settings.credentials);

async function request(
  asked: Partial<CertificateSpec> = {},
  more: Partial<SigningRequest> = {},
): Promise<SigningRequest> {
  const certificate = aSpec(asked);
  const csr = await buildCsr(certificate, KEY);
  const notAfter = NOON + certificate.durationSeconds * SECOND_MS;
  return { attempt: attemptId.parse(randomUUID()), certificate, csr, notAfter, ...more };
}

async function placed(issuer: Issuer, order: SigningRequest): Promise<Ticket> {
  const step = await issuer.start(order);
  if (step.status !== 'waiting') throw new Error('an order is never done at once');
  return step.ticket;
}

/** Another server in the service's place. */
async function standingIn(answer: RequestListener): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const operations = (): readonly string[] => calls.map(({ operation }) => operation);
const issuances = (): readonly ServiceCall['input'][] =>
  calls.flatMap(({ operation, input }) => (operation === 'IssueCertificate' ? [input] : []));
const days = (count: number): Partial<CertificateSpec> => ({ durationSeconds: (count * DAY_MS) / SECOND_MS });

describe('a revocation', () => {
  it('is asked for by serial number and reason, and asking twice is no failure', async () => {
    const issuer = issuerFor();
    const order = await request();
    const step = await issuer.check(order, await placed(issuer, order));
    if (step.status !== 'done') throw new Error('not done');
    const revocation = { certificate: step.value.leaf, reason: 'cessationOfOperation' } as const;
    for (let turn = 0; turn < 2; turn++) await issuer.revoke?.(revocation);
    expect(service.issued(EC_CA)[0]?.revoked).toMatchObject({ reason: 'CESSATION_OF_OPERATION' });
  });

  it('that the CA refuses is a failure', async () => {
    const issuer = issuerFor();
    const order = await request();
    const step = await issuer.check(order, await placed(issuer, order));
    if (step.status !== 'done') throw new Error('not done');
    service.setStatus(EC_CA, 'DISABLED');
    const revoke = issuer.revoke?.({ certificate: step.value.leaf, reason: 'superseded' });
    await expect(revoke).rejects.toMatchObject({ code: 'Refused', class: 'permanent' });
  });
});

describe('an order', () => {
  it('leads to the leaf, what links it to the root, and the root as its anchor', async () => {
    const issuer = issuerFor();
    const order = await request();
    const step = await issuer.check(order, await placed(issuer, order));
    if (step.status !== 'done') throw new Error('not done');
    const { leaf, intermediates, trustAnchors } = step.value;
    if (trustAnchors === 'topOfChain') throw new Error('no anchors');
    expect([leaf]).toEqual(splitCertificates(service.issued(EC_CA)[0]?.certificate ?? ''));
    expect(trustAnchors.map((pem) => new X509Certificate(pem).subject)).toEqual([
      expect.stringContaining('twin root') as unknown,
    ]);
    const [own, between, top] = [
      readCertificate(leaf),
      readCertificates(intermediates),
      readCertificates(trustAnchors),
    ];
    expect(verifyChain(own, between, top, NOON)).toMatchObject({ trusted: true, path: { length: 1 } });
    expect(own.notAfter).toBe(order.notAfter);
    expect(own.x509.publicKey.equals(KEY.publicKey)).toBe(true);
  });

  it.each<[string, KeyAlgorithm, string]>([
    [EC_CA, 'EC_prime256v1', 'SHA256WITHECDSA'],
    [RSA_CA, 'RSA_2048', 'SHA256WITHRSA'],
    [P384_CA, 'EC_secp384r1', 'SHA384WITHECDSA'],
  ])('from %s, with a key of type %s, is to be signed with %s', async (arn, _key, algorithm) => {
    await placed(issuerFor(arn), await request());
    expect(issuances()).toMatchObject([{ SigningAlgorithm: algorithm }]);
  });

  it.each<[readonly Usage[], string]>([
    [['digital signature', 'key encipherment'], 'EndEntityCertificate'],
    [['signing', 'client auth', 'server auth'], 'EndEntityCertificate'],
    [['server auth'], 'EndEntityServerAuthCertificate'],
    [['key encipherment', 'client auth'], 'EndEntityClientAuthCertificate'],
    [['digital signature', 'code signing'], 'CodeSigningCertificate'],
    [['ocsp signing'], 'OCSPSigningCertificate'],
  ])('for %j names the template %s', async (usages, name) => {
    const issuer = issuerFor();
    await placed(issuer, await request({ usages: [...usages] }));
    expect(issuances()).toMatchObject([{ TemplateArn: `arn:aws:acm-pca:::template/${name}/V1` }]);
    expect(templateFor(usages, 'arn:aws-cn:acm-pca:cn-north-1:1:certificate-authority/x')).toBe(
      `arn:aws-cn:acm-pca:::template/${name}/V1`,
    );
  });

  it.each<[readonly Usage[]]>([
    [['email protection']],
    [['server auth', 'code signing']],
    [['server auth', 'content commitment']],
    [['key encipherment', 'code signing']],
    [['cert sign']],
  ])('for %j is not placed: no template gives that', async (usages) => {
    const refusal = issuerFor().start(await request({ usages: [...usages] }));
    await expect(refusal).rejects.toMatchObject({ class: 'permanent', code: 'NoTemplate' });
    expect(issuances()).toEqual([]);
  });

  it('that is repeated for one attempt within five minutes gives one certificate', async () => {
    const order = await request();
    const first = await placed(issuerFor(), order);
    endpoint.now += 5 * MINUTE_MS - 1;
    // Another function, which knows only what the ledger says.
    expect(await placed(issuerFor(), order)).toEqual(first);
    expect(service.issued(EC_CA)).toHaveLength(1);
    await placed(issuerFor(), { ...order, attempt: attemptId.parse(randomUUID()) });
    expect(service.issued(EC_CA)).toHaveLength(2);
  });

  it('describes the CA once, however many follow, and again after a failure', async () => {
    const issuer = issuerFor();
    interfere = () => {
      throw new AwsError('AccessDeniedException', 'no');
    };
    await expect(issuer.start(await request())).rejects.toMatchObject({ class: 'permanent', code: 'AccessDenied' });
    interfere = undefined;
    await placed(issuer, await request());
    await placed(issuer, await request());
    expect(operations().filter((name) => name === 'DescribeCertificateAuthority')).toHaveLength(2);
  });
});

describe('a lifetime', () => {
  it('is cut to end a second before the CA does, down to half of what was asked for', async () => {
    const issuer = issuerFor(ENDING_CA);
    for (const [asked, end] of [
      [40, NOON + 40 * DAY_MS],
      [50, CA_END - SECOND_MS],
      [100, CA_END - SECOND_MS],
    ] as const) {
      await placed(issuer, await request(days(asked)));
      expect(issuances().at(-1)).toMatchObject({ Validity: { Type: 'ABSOLUTE', Value: end / SECOND_MS } });
    }
  });

  it.each<[string, string, number, string]>([
    ['the CA ends before half of it is over', ENDING_CA, 101, 'CaExpiresTooSoon'],
    ['the CA is in short-lived mode and it is longer than a week', SHORT_CA, 8, 'DurationTooLong'],
  ])('is refused when %s, before anything is ordered', async (_why, arn, asked, code) => {
    const refusal = issuerFor(arn).start(await request(days(asked)));
    await expect(refusal).rejects.toMatchObject({ class: 'permanent', code });
    expect(issuances()).toEqual([]);
  });

  it('of a week is what a CA in short-lived mode gives', async () => {
    await placed(issuerFor(SHORT_CA), await request(days(7)));
    expect(service.issued(SHORT_CA)).toHaveLength(1);
  });
});

describe('a CA that', () => {
  it('is not active gets no order', async () => {
    service.setStatus(EC_CA, 'DISABLED');
    const refusal = issuerFor().start(await request());
    await expect(refusal).rejects.toMatchObject({
      class: 'permanent',
      code: 'CaNotActive',
      message: expect.stringContaining('is DISABLED') as unknown,
    });
    expect(issuances()).toEqual([]);
  });

  it('is still at it is asked again in a second, for the same certificate', async () => {
    service.issuanceDelay = 2;
    const issuer = issuerFor();
    const order = await request();
    const ticket = await placed(issuer, order);
    const { certificateArn } = ticket;
    const waiting = { status: 'waiting', ticket: { certificateArn, looks: '1' }, checkAfterSeconds: 1 };
    expect(await issuer.check(order, ticket)).toEqual(waiting);
    expect(await issuer.check(order, ticket)).toEqual(waiting);
    expect(await issuer.check(order, ticket)).toMatchObject({ status: 'done' });
    // One question a check: it never waits in place.
    expect(operations().filter((name) => name === 'GetCertificate')).toHaveLength(3);
  });

  it('never ends is asked ever less often, also by a function that finds an older one’s ticket', async () => {
    service.issuanceDelay = Infinity;
    const issuer = issuerFor();
    const order = await request();
    const { certificateArn = '' } = await placed(issuer, order);
    const waits: number[] = [];
    let ticket: Ticket = { certificateArn };
    for (let look = 0; look < 90; look++) {
      const step = await issuer.check(order, ticket);
      if (step.status !== 'waiting') throw new Error('it never ends');
      ticket = step.ticket;
      waits.push(step.checkAfterSeconds);
    }
    expect(waits.slice(0, 12)).toEqual([1, 1, 1, 1, 1, 2, 3, 5, 10, 15, 30, 60]);
    expect(waits.at(-1)).toBe(300);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  });

  it.each(['DescribeCertificateAuthority', 'IssueCertificate', 'GetCertificate', 'GetCertificateAuthorityCertificate'])(
    'answers %s with an empty object is asked again, and no more is made of it',
    async (operation) => {
      const issuer = issuerFor();
      const order = await request();
      empty = operation;
      const work = placed(issuer, order).then((ticket) => issuer.check(order, ticket));
      await expect(work).rejects.toMatchObject({ class: 'transient', code: 'EmptyAnswer', mayHaveActed: true });
    },
  );

  it.each<[string, number]>([
    ['Retry-After is not asked again before it', 1],
    ['nothing of time is asked twice more, in place', 3],
  ])('is down and says %s', async (says, times) => {
    let requests = 0;
    const headers = says.startsWith('Retry-After') ? { 'retry-after': '7200' } : {};
    await standingIn((_request, response) => {
      requests += 1;
      response.writeHead(503, headers).end('{}');
    });
    const retryAfterSeconds = times === 1 ? 7_200 : undefined;
    await expect(issuerFor().start(await request())).rejects.toMatchObject({
      code: 'ServiceFailed',
      retryAfterSeconds,
    });
    expect(requests).toBe(times);
  });

  it('answers without end is left, and its answer not kept', async () => {
    let sent = 0;
    await standingIn((_request, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    });
    await expect(issuerFor().start(await request())).rejects.toMatchObject({
      code: 'CaAnswerTooLarge',
      message: expect.stringContaining('DescribeCertificateAuthority') as unknown,
    });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('trickles is given up on when the time for the whole call is over', async () => {
    const over = new AbortController();
    await standingIn((_request, response) => {
      response.writeHead(200);
      response.write('{', () => over.abort());
    });
    const issuer = acmPcaIssuer(
      { certificateAuthorityArn: EC_CA, region: REGION },
      async () => endpoint.settings.credentials,
      () => over.signal,
    );
    await expect(issuer.start(await request())).rejects.toMatchObject({ code: 'Unreachable', mayHaveActed: true });
  });

  it('gave up on the order ends the attempt: the next one is a new order', async () => {
    const issuer = issuerFor();
    const order = await request();
    const ticket = await placed(issuer, order);
    interfere = () => {
      throw new AwsError('RequestFailedException', 'it failed');
    };
    const failure = { class: 'transient', code: 'OrderFailed', endsAttempt: true };
    await expect(issuer.check(order, ticket)).rejects.toMatchObject(failure);
  });

  it('knows nothing of the order ends the attempt, too', async () => {
    const order = await request();
    const unknown = { certificateArn: `${EC_CA}/certificate/${'0'.repeat(32)}` };
    const failure = { class: 'transient', code: 'OrderFailed', endsAttempt: true };
    await expect(issuerFor().check(order, unknown)).rejects.toMatchObject(failure);
  });

  it.each(['DescribeCertificateAuthority', 'IssueCertificate', 'GetCertificate', 'GetCertificateAuthorityCertificate'])(
    'throttles %s is tried again later, and the order lives on',
    async (operation) => {
      service.throttle = (each) => each === operation;
      const issuer = issuerFor();
      const order = await request();
      const work = placed(issuer, order).then((ticket) => issuer.check(order, ticket));
      await expect(work).rejects.toMatchObject({ class: 'transient', code: 'Throttled', endsAttempt: false });
    },
  );

  it('hangs is given up on within the time limit of the client, and may have acted', async () => {
    await standingIn(() => {});
    const work = issuerFor().start(await request());
    await expect(work).rejects.toMatchObject({ class: 'transient', code: 'Unreachable', mayHaveActed: true });
  });
});
