import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../functions/core/time.ts';
import { leafFactsOf, readCertificate } from '../../functions/core/x509/leaf.ts';
import type { AcmeAnswer, AcmeCall } from '../../local/acme/exchange.ts';
import { DROPPED } from '../../local/acme/exchange.ts';
import { caBench, type CaBench, goOn, ticketAt, ZONE } from './ca-bench.ts';
import { rewriting } from './rewriting.ts';

const PROBLEM = { 'content-type': 'application/problem+json' };
const problem = (
  status: number,
  type: string,
  more: object = {},
  headers: Readonly<Record<string, string>> = {},
): AcmeAnswer => ({
  status,
  headers: { ...PROBLEM, ...headers },
  body: JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail: `because of ${type}`, ...more }),
});

/** Answers one kind of request as a test says, and lets everything else through. */
function answering(
  bench: CaBench,
  resource: AcmeCall['resource'],
  answer: (turn: number) => AcmeAnswer | undefined,
): void {
  let turn = 0;
  bench.ca.use(async (call, next) => (call.resource === resource ? (answer(++turn) ?? (await next())) : next()));
}

const posts = (bench: CaBench, resource: string): number =>
  bench.ca.requests.filter((request) => request.resource === resource).length;

describe('a rate limit', () => {
  it.each([
    ['in seconds', '7200'],
    ['as a date', new Date(Date.parse('2026-06-01T14:00:00Z')).toUTCString()],
  ])('with its Retry-After %s is told after one request, to the second', async (_form, retryAfter) => {
    const bench = await caBench();
    answering(bench, 'newOrder', () => problem(429, 'rateLimited', {}, { 'retry-after': retryAfter }));
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      class: 'transient',
      code: 'AcmeRateLimited',
      retryAfterSeconds: 7_200,
      mayHaveActed: false,
    });
    expect(posts(bench, 'newOrder')).toBe(1);
  });

  it.each([
    [
      'with the CA’s word for it is that of the names, and keeps no other certificate waiting',
      429,
      'rateLimited',
      false,
    ],
    ['without such a word is the CA’s', 429, '', true],
    ['of a CA that has too much to do is the CA’s', 503, 'rateLimited', true],
  ])('%s', async (_what, status, type, blamesCa) => {
    const bench = await caBench();
    answering(bench, 'newOrder', () => problem(status, type));
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      code: 'AcmeRateLimited',
      blamesCa,
    });
  });

  it('of the embedded CA is a rate limit as well', async () => {
    const bench = await caBench();
    bench.ca.settings.rateLimit = (resource) =>
      resource === 'newOrder' ? { detail: 'too many', retryAfterSeconds: 60, form: 'http-date' } : undefined;
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      code: 'AcmeRateLimited',
      retryAfterSeconds: 60,
    });
  });
});

describe('a nonce', () => {
  it('that is refused is told with the time that the CA asks for', async () => {
    const bench = await caBench();
    answering(bench, 'newNonce', () => problem(429, 'rateLimited', {}, { 'retry-after': '7200' }));
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      code: 'AcmeRateLimited',
      retryAfterSeconds: 7_200,
    });
  });
});

describe('a directory', () => {
  it.each([
    ['leads elsewhere', { newOrder: 'https://evil.example/o' }, 'CaUrlForbidden'],
    ['is none', { newOrder: 1 }, 'CaAnswerUnreadable'],
  ])('that %s is not remembered', async (_what, wrong, code) => {
    const bench = await caBench();
    const order = await bench.order();
    const honest = rewriting(bench, 'directory', (body) => ({ ...body, ...wrong }));
    await expect(bench.issuer().start(order.request)).rejects.toMatchObject({ code });
    honest();
    await bench.obtain(bench.issuer(), order);
  });

  it('is looked at again after a day, also where an order is taken up in the middle', async () => {
    const bench = await caBench();
    const order = await bench.order();
    const ticket = await ticketAt(bench.issuer(), order, 'presenting');
    bench.clock.pass(DAY_MS);
    answering(bench, 'directory', () => ({ status: 200, headers: {}, body: '<html>please log in</html>' }));
    const check = bench.issuer().check(order.request, ticket);
    await expect(check).rejects.toMatchObject({ class: 'transient', code: 'CaAnswerUnreadable' });
  });
});

describe('what a CA refuses', () => {
  it.each([
    ['caa', 403, 'permanent', 'AcmeCaa'],
    ['rejectedIdentifier', 400, 'permanent', 'AcmeRejectedIdentifier'],
    ['badCSR', 400, 'permanent', 'AcmeBadCSR'],
    ['unauthorized', 403, 'permanent', 'AcmeUnauthorized'],
    ['userActionRequired', 403, 'permanent', 'AcmeUserActionRequired'],
    ['aWordOfItsOwn', 400, 'permanent', 'CaRefused'],
    ['serverInternal', 500, 'transient', 'AcmeServerInternal'],
    ['aWordOfItsOwn', 503, 'transient', 'CaFailed'],
    ['accountDoesNotExist', 400, 'transient', 'AcmeAccountDoesNotExist'],
  ])('as %s (%i) is %s, by its own code, and in words', async (type, status, kind, code) => {
    const bench = await caBench();
    const subproblems = [
      { type: `urn:ietf:params:acme:error:${type}`, detail: 'no', identifier: { type: 'dns', value: 'a.example' } },
    ];
    answering(bench, 'newOrder', () => problem(status, type, { subproblems }, { 'retry-after': '30' }));
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      class: kind,
      code,
      message: expect.stringMatching(
        new RegExp(`^ordering a certificate: ${type}: because of ${type} \\[a.example: ${type}: no\\]`),
      ) as unknown,
    });
  });

  it('says why a name could not be validated, gives nothing away, and another order is wanted', async () => {
    const bench = await caBench();
    const order = await bench.order({ dnsNames: [`wrong.${ZONE}`] });
    const issuer = bench.issuer();
    const ticket = await ticketAt(issuer, order, 'presenting');
    bench.ca.use(async (call, next) => {
      // Somebody takes the record away before the CA looks.
      if (call.resource === 'challenge') await bench.dns.remove(bench.dns.added);
      return next();
    });
    await expect(goOn(issuer, order, { status: 'waiting', ticket, checkAfterSeconds: 0 }, 50)).rejects.toMatchObject({
      class: 'transient',
      code: 'ValidationFailed',
      endsAttempt: true,
      message: expect.stringContaining(`wrong.${ZONE}`) as unknown,
    });
  });
});

describe('a CA that lies or fails in the middle', () => {
  type Fault = readonly [string, AcmeAnswer, object];
  const FAULTS: readonly Fault[] = [
    ['500', problem(500, 'serverInternal'), { class: 'transient' }],
    [
      '503 with a page of HTML',
      { status: 503, headers: { 'content-type': 'text/html' }, body: '<html>' },
      { class: 'transient' },
    ],
    [
      'invalid JSON',
      { status: 200, headers: {}, body: '{"status":' },
      { class: 'transient', code: 'CaAnswerUnreadable' },
    ],
    [
      'another shape',
      { status: 200, headers: {}, body: '{"status":["valid"]}' },
      { class: 'transient', code: 'CaAnswerUnreadable' },
    ],
    ['nothing', { status: 200, headers: {}, body: '' }, { class: 'transient' }],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://169.254.169.254/' }, body: '' },
      { class: 'permanent', code: 'CaRedirects' },
    ],
    [
      'a mebibyte',
      { status: 200, headers: {}, body: ' '.repeat(1_048_576) },
      { class: 'transient', code: 'CaAnswerTooLarge' },
    ],
    ['a cut connection', DROPPED, { class: 'transient', code: 'CaUnreachable' }],
  ];
  const STEPS = ['newOrder', 'authorization', 'order', 'finalize', 'certificate'] as const;

  it.each(STEPS.flatMap((step) => FAULTS.map(([name, answer, outcome]) => [step, name, answer, outcome] as const)))(
    'at %s with %s is one failure of a known kind, and the order goes on afterwards',
    async (step, _name, answer, outcome) => {
      const bench = await caBench();
      const [issuer, order] = [bench.issuer(), await bench.order()];
      await bench.obtain(issuer, await bench.order());
      answering(bench, step, (turn) => (turn === 1 ? answer : undefined));
      let ticket: Parameters<typeof issuer.check>[1] | undefined;
      const failures: unknown[] = [];
      let chain: unknown;
      for (let round = 0; round < 20 && chain === undefined; round++) {
        try {
          const next =
            ticket === undefined ? await issuer.start(order.request) : await issuer.check(order.request, ticket);
          if (next.status === 'done') chain = next.value;
          else ticket = next.ticket;
        } catch (error) {
          failures.push(error);
        }
      }
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatchObject(outcome);
      expect(chain).toBeDefined();
      expect(bench.dns.values(bench.dns.added.at(-1)?.name ?? '')).toEqual([]);
    },
  );

  it.each([
    ['newOrder', 'authorizations', ['https://169.254.169.254/a']],
    ['newOrder', 'finalize', 'https://evil.example/f'],
    ['order', 'certificate', 'http://127.0.0.1:9001/2018-06-01/runtime/invocation/next'],
    ['directory', 'newNonce', 'https://evil.example/n'],
    ['directory', 'newOrder', 'https://evil.example/o'],
  ] as const)('at %s with a URL of its own for %s is not followed', async (step, field, value) => {
    const bench = await caBench();
    rewriting(bench, step, (body) => ({ ...body, [field]: value }));
    await expect(bench.obtain(bench.issuer(), await bench.order())).rejects.toMatchObject({
      class: 'permanent',
      code: 'CaUrlForbidden',
    });
  });

  it('with a URL of its own for renewal information is not followed', async () => {
    const bench = await caBench();
    const { leaf } = await bench.obtain(bench.issuer(), await bench.order());
    const misled = await caBench();
    rewriting(misled, 'directory', (body) => ({ ...body, renewalInfo: 'https://evil.example/ari' }));
    await expect(misled.issuer().renewalInfo?.(leafFactsOf(readCertificate(leaf)))).rejects.toMatchObject({
      code: 'CaUrlForbidden',
    });
  });

  it.each(['../../etc/passwd', '', 'x'.repeat(300), 'a b', '<script>'])(
    'with the token %j is not answered',
    async (token) => {
      const bench = await caBench();
      bench.ca.use(async (call, next) => {
        const answer = await next();
        if (call.resource !== 'authorization' || typeof answer.body !== 'string') return answer;
        return { ...answer, body: answer.body.replaceAll(/"token":"[^"]*"/g, `"token":${JSON.stringify(token)}`) };
      });
      await expect(bench.obtain(bench.issuer(), await bench.order())).rejects.toMatchObject({
        code: 'CaAnswerUnreadable',
      });
      expect(bench.dns.added).toEqual([]);
    },
  );

  it('with chains without end is asked for a few', async () => {
    const bench = await caBench();
    const { directoryUrl } = bench.ca;
    bench.ca.use(async (call, next) => {
      const answer = await next();
      if (call.resource !== 'certificate') return answer;
      const links = Array.from(
        { length: 100 },
        (_, index) => `<${directoryUrl.replace('directory', call.path.slice(1))}?${index}>;rel="alternate"`,
      );
      return { ...answer, headers: { ...answer.headers, link: links.join(', ') } };
    });
    const issuer = bench.issuer({ preferredChain: 'Nobody' });
    await bench.obtain(issuer, await bench.order()).catch((error: unknown) => error);
    expect(posts(bench, 'certificate') + posts(bench, 'unknown')).toBeLessThanOrEqual(6);
  });

  it('whose parts disagree on whether an order is ready is asked again', async () => {
    const bench = await caBench();
    answering(bench, 'finalize', (turn) => (turn <= 2 ? problem(403, 'orderNotReady') : undefined));
    expect(await bench.obtain(bench.issuer(), await bench.order())).toBeDefined();
    expect(posts(bench, 'finalize')).toBe(3);
  });

  it('that takes its time, and says how much, is not asked sooner', async () => {
    const bench = await caBench();
    bench.ca.settings.finalizeLooks = 3;
    bench.ca.settings.retryAfterSeconds = 17;
    const [issuer, order] = [bench.issuer(), await bench.order()];
    const ticket = await ticketAt(issuer, order, 'processing');
    const step = await issuer.check(order.request, ticket);
    expect(step).toMatchObject({ status: 'waiting', checkAfterSeconds: 17 });
  });

  it.each([
    ['orderNotReady, though the order is ready', undefined],
    ['processing', undefined],
    ['processing, and "again in a second"', 1],
  ])('that says %s, without end, is asked twelve times an hour in the end', async (says, retryAfterSeconds) => {
    const bench = await caBench();
    if (says.startsWith('orderNotReady')) answering(bench, 'finalize', () => problem(403, 'orderNotReady'));
    bench.ca.settings.finalizeLooks = 1_000;
    bench.ca.settings.retryAfterSeconds = retryAfterSeconds;
    const [issuer, order] = [bench.issuer(), await bench.order()];
    const waits: number[] = [];
    let step = await issuer.start(order.request);
    for (let look = 0; look < 110 && step.status === 'waiting'; look++) {
      step = await issuer.check(order.request, step.ticket);
      if (step.status === 'waiting') waits.push(step.checkAfterSeconds);
    }
    expect(waits.at(-1)).toBe(300);
  });

  it('that leads a long way elsewhere is named, with what to do', async () => {
    const bench = await caBench();
    const location = `https://evil.example/${'far/'.repeat(1_000)}`;
    answering(bench, 'newOrder', () => ({ status: 307, headers: { location }, body: '' }));
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      code: 'CaRedirects',
      message: expect.stringMatching(/^.{200,500}write the URL that it leads to into the issuer$/) as unknown,
    });
  });

  it('that says nothing of time is asked in ever longer steps', async () => {
    const bench = await caBench();
    bench.ca.settings.finalizeLooks = 1_000;
    const [issuer, order] = [bench.issuer(), await bench.order()];
    let step = await issuer.check(order.request, await ticketAt(issuer, order, 'processing'));
    const waits: number[] = [];
    for (let look = 0; look < 16 && step.status === 'waiting'; look++) {
      waits.push(step.checkAfterSeconds);
      step = await issuer.check(order.request, step.ticket);
    }
    expect(waits).toEqual([0.25, 0.4, 0.5, 0.75, 1, 2, 3, 5, 10, 15, 30, 60, 120, 300, 300, 300]);
  });
});
