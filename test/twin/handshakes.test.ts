import { afterEach, describe, expect, it } from 'vitest';
import { Handshakes } from '../../bin/twin/load/handshakes.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import { LoadBalancer } from '../../local/workloads/load-balancer.ts';
import { TlsProcess } from '../../local/workloads/tls-process.ts';
import { bundleMaker, type Made } from '../support/releases.ts';

const NAME = 'orders.internal.example';
const { make } = await bundleMaker(NAME, Date.now());
const [first, second] = [await make(), await make()];

const processOf = ({ bundle }: Made): Promise<TlsProcess> =>
  TlsProcess.start({ certificate: bundle['tls.crt'], key: bundle['tls.key'] });

let balancer: LoadBalancer | undefined;
afterEach(() => balancer?.close());

/** Clients of a service that serves this. */
async function clientsOf(made: Made, trusted: Made = made, serverName = NAME): Promise<Handshakes> {
  balancer = await LoadBalancer.start();
  await balancer.register([await processOf(made)]);
  const target = { name: 'orders', port: balancer.port, serverName, trustAnchors: [trusted.bundle['ca.crt']] };
  return new Handshakes([target], 2);
}

describe('clients under load', () => {
  it('see one leaf after the other, and fail at nothing, where a service is replaced as it should be', async () => {
    const clients = await clientsOf(first);
    await clients.lap();
    await balancer?.register([await processOf(second)]);
    await clients.lap();
    const { total, failed, leaves } = await clients.stop();
    const [before, after] = leaves['orders'] ?? [];
    expect(failed).toBe(0);
    expect([before?.sha256Fingerprint, after?.sha256Fingerprint]).toEqual([
      first.sha256Fingerprint,
      second.sha256Fingerprint,
    ]);
    expect((before?.handshakes ?? 0) + (after?.handshakes ?? 0)).toBe(total);
    expect(after?.firstSeenAt).toBeGreaterThanOrEqual(before?.firstSeenAt ?? Infinity);
  });

  it('count what a service drops while it reloads', async () => {
    const clients = await clientsOf(first);
    await clients.lap();
    // The old one goes before another one listens.
    await balancer?.register([]);
    const { failed, failures } = await clients.lap();
    await clients.stop();
    expect(failed).toBeGreaterThan(0);
    expect(failures[0]).toMatch(/^orders: /);
  });
});

const stranger = await (await bundleMaker(NAME, Date.now())).make();
const expired = await (await bundleMaker(NAME, Date.now() - 200 * DAY_MS)).make();

describe('a handshake has failed', () => {
  it.each([
    ['for another name', first, first, 'checkout.internal.example', /altnames/],
    ['of a CA that is not trusted', first, stranger, NAME, /certificate|issuer/],
    ['that has expired', expired, expired, NAME, /expired/],
  ] as const)('with a leaf %s', async (_, made, trusted, serverName, why) => {
    const clients = await clientsOf(made, trusted, serverName);
    await clients.lap();
    const { total, failed, failures, leaves } = await clients.stop();
    expect(failed).toBe(total);
    expect(failures[0]).toMatch(why);
    expect(leaves).toEqual({});
  });
});
