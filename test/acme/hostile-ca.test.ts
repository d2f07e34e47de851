import { describe, expect, it } from 'vitest';
import { DROPPED } from '../../local/acme/exchange.ts';
import { caBench, type CaBench, goOn, ticketAt, ZONE } from './ca-bench.ts';
import { type Json, rewriting } from './rewriting.ts';

function linking(bench: CaBench, ...alternates: readonly string[]): void {
  bench.ca.use(async (call, next) => {
    const answer = await next();
    if (call.resource !== 'certificate' || answer === DROPPED) return answer;
    const link = alternates.map((url) => `<${url}>;rel="alternate"`).join(', ');
    return { ...answer, headers: { ...answer.headers, link } };
  });
}

describe('no record is made for a name that was not ordered', () => {
  it.each([
    'other.acme.example',
    'www.shop.acme.example',
    'acme.example',
    '*.acme.example',
    '_acme-challenge.shop.acme.example',
    'shop.acme.example.',
    'a b.acme.example',
    'ü.acme.example',
  ])('such as %s', async (value) => {
    const bench = await caBench();
    rewriting(bench, 'authorization', (body) => ({ ...body, identifier: { type: 'dns', value } }));
    const order = await bench.order({ dnsNames: [`shop.${ZONE}`] });
    await expect(bench.obtain(bench.issuer(), order)).rejects.toMatchObject({
      class: 'transient',
      code: 'CaAnswerUnreadable',
      endsAttempt: true,
    });
    expect(bench.dns.added).toEqual([]);
  });

  it('nor for the wildcard of one that was', async () => {
    const bench = await caBench();
    rewriting(bench, 'authorization', (body) => ({ ...body, wildcard: true }));
    const order = await bench.order({ dnsNames: [`shop.${ZONE}`] });
    await expect(bench.obtain(bench.issuer(), order)).rejects.toMatchObject({ code: 'CaAnswerUnreadable' });
    expect(bench.dns.added).toEqual([]);
  });

  it('and a CA that shouts means the same name', async () => {
    const bench = await caBench();
    rewriting(bench, 'authorization', (body) => ({ ...body, identifier: { type: 'dns', value: `SHOP.${ZONE}` } }));
    await bench.obtain(bench.issuer(), await bench.order({ dnsNames: [`shop.${ZONE}`] }));
    expect(bench.dns.added.map(({ name }) => name)).toEqual([`_acme-challenge.shop.${ZONE}`]);
  });
});

describe('an alternate chain', () => {
  it.each([
    ['that is not there', '/nowhere'],
    ['at another host', 'https://mirror.example/cert/1'],
    ['at no URL', 'https://['],
  ])('%s costs nothing but the choice', async (_what, url) => {
    const bench = await caBench();
    linking(bench, url);
    expect(await bench.obtain(bench.issuer({ preferredChain: 'Some Root' }), await bench.order())).toBeDefined();
    expect(bench.logged).toContain('an alternate chain was passed over');
    expect(bench.ca.issued).toHaveLength(1);
  });
});

describe('an order', () => {
  it('whose authorizations are named twice wants each proved once', async () => {
    const bench = await caBench();
    const twice = (body: Json) => ({
      ...body,
      authorizations: [body['authorizations'], body['authorizations']].flat(),
    });
    rewriting(bench, 'newOrder', twice);
    await bench.obtain(bench.issuer(), await bench.order());
    expect(bench.dns.added).toHaveLength(1);
  });

  it('of a hundred names is taken sixteen at a time', async () => {
    const bench = await caBench();
    const [issuer, dnsNames] = [bench.issuer(), Array.from({ length: 100 }, (_, index) => `n${index}.${ZONE}`)];
    const order = await bench.order({ dnsNames });
    let step = await issuer.start(order.request);
    const asked: [phase: string, requests: number][] = [];
    bench.requests();
    for (let look = 0; look < 100 && step.status === 'waiting'; look++) {
      const phase = String(step.ticket['phase']);
      step = await issuer.check(order.request, step.ticket);
      const most = bench.requests().filter((each) => each === 'authorization' || each === 'challenge').length;
      asked.push([phase, most]);
    }
    expect(step.status).toBe('done');
    expect(bench.dns.values(`_acme-challenge.n7.${ZONE}`)).toEqual([]);
    expect(Math.max(...asked.map(([, requests]) => requests))).toBe(16);
    expect(asked.filter(([phase]) => phase === 'authorizing')).toHaveLength(7);
    expect(asked.filter(([phase]) => phase === 'accepting')).toHaveLength(6);
  });

  it('too long to be noted is given up, before anything is made for it', async () => {
    const bench = await caBench();
    const padding = 'y'.repeat(1_900);
    rewriting(bench, 'newOrder', (body) => ({
      ...body,
      authorizations: Array.from({ length: 100 }, (_, index) => `${bench.ca.directoryUrl}/${index}/${padding}`),
    }));
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      class: 'transient',
      code: 'CaAnswerUnreadable',
      endsAttempt: true,
    });
  });

  it('of another account is not asked for: there will be another order', async () => {
    const bench = await caBench();
    const order = await bench.order();
    const ticket = await ticketAt(bench.issuer(), order, 'presenting');
    const other = bench.issuer({ accountKey: { name: 'another', key: 'tls.key' } });
    const [waiting, before] = [{ status: 'waiting', ticket, checkAfterSeconds: 0 } as const, bench.ca.requests.length];
    await expect(goOn(other, order, waiting, 1)).rejects.toMatchObject({ code: 'OrderElsewhere', endsAttempt: true });
    expect(bench.ca.requests.slice(before).map(({ resource }) => resource)).not.toContain('order');
  });
});

describe('a CA without nonces', () => {
  it('is one failed try', async () => {
    const bench = await caBench();
    bench.ca.use(async (call, next) => {
      const answer = await next();
      if (call.resource !== 'newNonce' || answer === DROPPED) return answer;
      return {
        ...answer,
        headers: Object.fromEntries(Object.entries(answer.headers).filter(([name]) => name !== 'replay-nonce')),
      };
    });
    await expect(bench.issuer().start((await bench.order()).request)).rejects.toMatchObject({
      class: 'transient',
      code: 'CaAnswerUnreadable',
    });
  });
});

describe('what an order holds', () => {
  it('is taken out of DNS even where the account cannot be used any more', async () => {
    const bench = await caBench();
    const order = await bench.order();
    const ticket = await ticketAt(bench.issuer(), order, 'presenting');
    bench.ca.use(async (call, next) => (call.resource === 'order' ? DROPPED : next()));
    await expect(bench.issuer().check(order.request, ticket)).rejects.toMatchObject({ code: 'CaUnreachable' });
    expect(bench.dns.added).toHaveLength(1);
    await bench.accounts.put({ name: 'account', key: 'tls.key' }, 'no key');
    await bench.issuer().abandon(ticket);
    expect(bench.dns.values(bench.dns.added[0]?.name ?? '')).toEqual([]);
    expect(bench.logged).toContain('authorizations were left to expire');
  });
});
