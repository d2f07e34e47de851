import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { judge, type Verdict } from '../../functions/core/gate.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { aSpec, NOON } from '../support/builders.ts';
import { newKey, signLink, TestCa } from '../support/test-ca.ts';

const CA = await TestCa.create('top', NOON);
const STRANGER = await TestCa.create('stranger', NOON);
const SPEC = aSpec();
const KEY = keyHandle(await generateKey({ algorithm: 'ECDSA', sizeBits: 256 }));
const { leaf } = await CA.sign(await buildCsr(SPEC, KEY), NOON, NOON + 90 * DAY_MS, { purposes: [] });
const [ROOT, INTERMEDIATE] = [CA.root.toString('pem'), CA.intermediate.toString('pem')];

/** As an ACME CA answers, where nobody has said which anchor to expect. */
const judged = (intermediates: readonly string[]): Verdict =>
  judge(
    {
      spec: SPEC,
      publicKey: KEY.publicKey,
      chain: { leaf, intermediates, trustAnchors: 'topOfChain' },
      latestNotAfter: undefined,
      uninvitedUsages: [],
      withheldUsages: [],
    },
    NOON,
  );

const anew = (pem: string): string => new X509Certificate(pem).toString();

describe('a chain without a known anchor', () => {
  it('keeps its top, which links to a root that clients have, and names no anchor', () => {
    expect(judged([INTERMEDIATE])).toMatchObject({
      verdict: 'pass',
      chain: { intermediates: [anew(INTERMEDIATE)], trustAnchors: [] },
    });
  });

  it('gives up a root that was sent: clients have it, and it is an anchor', () => {
    expect(judged([INTERMEDIATE, ROOT])).toMatchObject({
      verdict: 'pass',
      chain: { intermediates: [anew(INTERMEDIATE)], trustAnchors: [anew(ROOT)] },
    });
  });

  it('may come in any order, with strangers in between', () => {
    const stranger = STRANGER.intermediate.toString('pem');
    expect(judged([ROOT, stranger, INTERMEDIATE])).toMatchObject({
      verdict: 'pass',
      chain: { intermediates: [anew(INTERMEDIATE)], trustAnchors: [anew(ROOT)] },
    });
  });

  it('may hold a stranger of the root’s name: who signed is told by the signature', async () => {
    const namesake = await signLink({
      name: 'top root',
      keys: await newKey(),
      notBefore: NOON - DAY_MS,
      notAfter: NOON + DAY_MS,
    });
    expect(judged([INTERMEDIATE, namesake])).toMatchObject({
      verdict: 'pass',
      chain: { intermediates: [anew(INTERMEDIATE)], trustAnchors: [] },
    });
  });

  it('is refused when it is a leaf alone: no client could build a path from it', () => {
    expect(judged([]).verdict).toBe('refuse');
  });

  it('is refused when nothing in it signed the leaf', () => {
    expect(judged([STRANGER.intermediate.toString('pem'), STRANGER.root.toString('pem')]).verdict).toBe('refuse');
  });

  it('is refused when its intermediates only sign each other in a circle', async () => {
    const [a, b] = [
      { name: 'a', keys: await newKey() },
      { name: 'b', keys: await newKey() },
    ];
    const validity = { notBefore: NOON - DAY_MS, notAfter: NOON + DAY_MS };
    const circle = [await signLink({ ...a, by: b, ...validity }), await signLink({ ...b, by: a, ...validity })];
    expect(judged(circle).verdict).toBe('refuse');
  });
});
