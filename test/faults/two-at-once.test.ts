import { describe, expect, it, onTestFinished } from 'vitest';
import { MINUTE_MS, SECOND_MS } from '../../functions/core/time.ts';
import type { WireCall, WireResponse } from '../../local/wire/call.ts';
import { certificateYaml, type Deployment, deployOnTwin, GENERAL_CA, manifestOf } from '../support/deployment.ts';
import { SEED } from './extent.ts';

async function deployed(...names: readonly string[]): Promise<Deployment> {
  const deployment = await deployOnTwin({ manifest: manifestOf(...names.map((name) => certificateYaml(name))) });
  onTestFinished(() => deployment.close());
  return deployment;
}

const hint = (name: string): string => JSON.stringify({ schemaVersion: '1', certificate: `default/${name}` });

const isIssuing = ({ principal }: WireCall): boolean => principal.includes('Issue');

/** Settles when a call that fits has been answered. */
function answered({ twin }: Deployment, fits: (call: WireCall) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = twin.use(async (call, next) => {
      const answer = await next();
      if (fits(call)) {
        stop();
        resolve();
      }
      return answer;
    });
  });
}

const announces = (call: WireCall): boolean =>
  call.operation === 'PutEvents' && JSON.stringify(call.input).includes('Certificate Rotated');

describe('a worker that outlives its lease', () => {
  const OPERATIONS = [
    'PutItem',
    'PutSecretValue',
    'IssueCertificate',
    'GetCertificate',
    'UpdateSecretVersionStage',
    'PutEvents',
  ];

  it.each(OPERATIONS.flatMap((operation) => ['before', 'after'].map((when) => [when, operation] as const)))(
    'frozen %s %s is acted on, and thawed when another has done its work: it changes nothing any more',
    async (when, operation) => {
      const shop = await deployed('shop');
      const { twin } = shop;
      let thaw: () => void = () => {};
      let frozen: string | undefined;
      const isFrozen = new Promise<void>((resolve) => {
        const stop = twin.use(async (call, next) => {
          if (!isIssuing(call) || call.operation !== operation) return next();
          stop();
          const early = when === 'after' ? await next() : undefined;
          frozen = call.invocationId;
          const thawed = new Promise<void>((wake) => (thaw = wake));
          resolve();
          await thawed;
          return early ?? (await next());
        });
      });
      await twin.tick();
      await isFrozen;
      const other = answered(shop, (call) => announces(call) && call.invocationId !== frozen);
      twin.clock.advance(5 * MINUTE_MS);
      await twin.tick();
      await other;
      thaw();
      await twin.settled();
      for (let minute = 0; minute < 3; minute++) await shop.advance(MINUTE_MS);

      const { generation, current, attempt, outbox } = await shop.record('shop');
      expect({ generation, attempt, outbox }).toEqual({ generation: 1, attempt: undefined, outbox: [] });
      expect(shop.pca.issued(GENERAL_CA).length).toBeLessThanOrEqual(2);
      const stages = Object.entries(await shop.stages('shop')).filter(([, labels]) => labels.length > 0);
      expect(stages.filter(([, labels]) => labels.includes('AWSCURRENT'))).toEqual([
        [current?.version, ['AWSCURRENT']],
      ]);
      expect(await shop.operator.faultOf(await shop.record('shop'), shop.now())).toBeUndefined();
    },
  );
});

/** Numbers from 0 up to 1 that depend on the seed alone (Lehmer's generator). */
function seeded(seed: number): () => number {
  let state = (seed * 48_271 + 11) % 2_147_483_647;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('messages', () => {
  it(`that come twice, late, in any order or never: one certificate each (seed ${SEED})`, async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const shop = await deployed(...names);
    shop.pca.issuanceDelay = 4;
    const random = seeded(SEED);
    shop.twin.use(async (call, next) => {
      const isLost = call.operation === 'PutEvents' && call.principal.includes('Detect') && random() < 0.4;
      return isLost ? eaten(call) : next();
    });
    for (let round = 0; round < 25; round++) {
      const shuffled = names.filter(() => random() < 0.5).toSorted(() => random() - 0.5);
      await Promise.all(shuffled.flatMap((name) => [shop.sendHint(hint(name)), shop.sendHint(hint(name))]));
      await shop.advance(Math.ceil(random() * 40) * SECOND_MS);
    }
    for (const name of names) expect((await shop.record(name)).generation, name).toBe(1);
    expect(shop.pca.issued(GENERAL_CA)).toHaveLength(names.length);
  });

  it('that a stale index sends, again and again, cost a read each', async () => {
    const shop = await deployed('shop');
    const stale = new Map<string, WireResponse>();
    let isStale = false;
    shop.twin.use(async (call, next) => {
      if (call.operation !== 'Query') return next();
      const shard = JSON.stringify(call.input['ExpressionAttributeValues']).replace(/":now".*/, '');
      const answer = isStale ? (stale.get(shard) ?? (await next())) : await next();
      if (!stale.has(shard)) stale.set(shard, answer);
      return answer;
    });
    await shop.tick();
    expect((await shop.record('shop')).generation).toBe(1);
    isStale = true;
    const before = await shop.record('shop');
    const seen = shop.twin.calls.length;
    for (let minute = 0; minute < 10; minute++) await shop.advance(MINUTE_MS);
    const calls = shop.twin.calls.slice(seen).filter(({ principal }) => principal.includes('Issue'));
    expect(calls.map(({ operation }) => operation)).toEqual(Array<string>(10).fill('GetItem'));
    expect(await shop.record('shop')).toEqual(before);
  });
});

/** The bus has taken it, and nothing comes of it. */
const eaten = (call: WireCall): WireResponse => ({
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify({
    FailedEntryCount: 0,
    Entries: (call.input['Entries'] as unknown[]).map(() => ({ EventId: 'lost' })),
  }),
});
