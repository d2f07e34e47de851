import { X509Certificate } from 'node:crypto';
import { AuthorityKeyIdentifierExtension, SubjectKeyIdentifierExtension } from '../../local/pca/x509.ts';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { keyHandle } from '../../functions/core/key-handle.ts';
import { DAY_MS } from '../../functions/core/time.ts';
import { type ChainVerdict, readCertificates, verifyChain } from '../../functions/core/x509/chain.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { aSpec, NOON } from '../support/builders.ts';
import { type LinkWishes, newKey, signLink, TestCa } from '../support/test-ca.ts';

type Party = Pick<LinkWishes, 'name' | 'keys'>;
type Wishes = Partial<Omit<LinkWishes, 'name' | 'keys' | 'by'>>;

const party = async (name: string): Promise<Party> => ({ name, keys: await newKey() });
const ROOT = await party('root');
const UPPER = await party('upper');
const LOWER = await party('lower');
const SHOP = await party('shop');

/** A certificate of `who` in PEM, signed by `by`, that is valid from a day before noon to a day after. */
const link = (who: Party, by: Party, wishes: Wishes = {}): Promise<string> =>
  signLink({ ...who, by, notBefore: NOON - DAY_MS, notAfter: NOON + DAY_MS, ...wishes });

const leafBy = (by: Party, wishes: Wishes = {}): Promise<string> => link(SHOP, by, { isCa: false, ...wishes });

const EXPIRED: Wishes = { notBefore: NOON - 2 * DAY_MS, notAfter: NOON };
const NOT_YET: Wishes = { notBefore: NOON + 1_000, notAfter: NOON + DAY_MS };

/** The names on the way up, or why there is no way. */
async function way(
  leaf: Promise<string>,
  intermediates: readonly Promise<string>[],
  anchors: readonly Promise<string>[],
): Promise<string> {
  const [own, between, top] = [await leaf, await Promise.all(intermediates), await Promise.all(anchors)];
  return inWords(verifyChain(readCertificate(own), readCertificates(between), readCertificates(top), NOON));
}

const inWords = (verdict: ChainVerdict): string =>
  verdict.trusted ? [...verdict.path, verdict.anchor].map(({ x509 }) => x509.subject).join(' > ') : verdict.why;

describe('a chain leads up', () => {
  it.each<[string, Promise<string>, Promise<string>[], Promise<string>[]]>([
    ['CN=root', leafBy(ROOT), [], [link(ROOT, ROOT)]],
    [
      'CN=lower > CN=root',
      leafBy(LOWER),
      [link(LOWER, ROOT, { pathLength: 0 })],
      [link(ROOT, ROOT, { pathLength: 1 })],
    ],
    // In any order, with strangers between.
    [
      'CN=lower > CN=upper > CN=root',
      leafBy(LOWER),
      [link(UPPER, ROOT, { pathLength: 1 }), link(ROOT, ROOT), link(LOWER, UPPER, { pathLength: 0 })],
      [link(SHOP, SHOP), link(ROOT, ROOT)],
    ],
    // Valid from this instant on.
    ['CN=lower > CN=root', leafBy(LOWER), [link(LOWER, ROOT, { notBefore: NOON })], [link(ROOT, ROOT)]],
    // An anchor is where trust begins, whoever signed it.
    ['CN=lower', leafBy(LOWER), [], [link(LOWER, ROOT)]],
    // Cross-signed twins: the first has expired, or leads to nobody.
    ['CN=lower > CN=root', leafBy(LOWER), [link(LOWER, ROOT, EXPIRED), link(LOWER, ROOT)], [link(ROOT, ROOT)]],
    ['CN=lower > CN=root', leafBy(LOWER), [link(LOWER, UPPER), link(LOWER, ROOT)], [link(ROOT, ROOT)]],
    ['CN=lower > CN=root', leafBy(LOWER), [link(LOWER, ROOT)], [link(ROOT, ROOT, EXPIRED), link(ROOT, ROOT)]],
    // Two that sign each other stand before the way out.
    [
      'CN=lower > CN=upper > CN=root',
      leafBy(LOWER),
      [link(LOWER, UPPER), link(UPPER, LOWER), link(UPPER, ROOT)],
      [link(ROOT, ROOT)],
    ],
  ])('by %s', async (expected, leaf, intermediates, anchors) => {
    expect(await way(leaf, intermediates, anchors)).toBe(expected);
  });
});

const NOBODY = 'nothing in the chain or among the trust anchors signed "CN=shop"';
const onlyValid = (name: string): unknown => expect.stringMatching(new RegExp(`^"CN=${name}" is valid only from `));

describe('a chain leads nowhere', () => {
  it.each<[string, Promise<string>, Promise<string>[], Promise<string>[], unknown]>([
    ['without anchors', leafBy(LOWER), [link(LOWER, ROOT), link(ROOT, ROOT)], [], NOBODY],
    ['when a link is missing', leafBy(LOWER), [link(UPPER, ROOT)], [link(ROOT, ROOT)], NOBODY],
    [
      'over one that is no CA',
      leafBy(LOWER),
      [link(LOWER, ROOT, { isCa: false })],
      [link(ROOT, ROOT)],
      '"CN=lower" is not a CA certificate',
    ],
    [
      'to an anchor that is no CA',
      leafBy(ROOT),
      [],
      [link(ROOT, ROOT, { isCa: false })],
      '"CN=root" is not a CA certificate',
    ],
    [
      'over one that has just expired',
      leafBy(LOWER),
      [link(LOWER, ROOT, EXPIRED)],
      [link(ROOT, ROOT)],
      onlyValid('lower'),
    ],
    [
      'over one that is not valid yet',
      leafBy(LOWER),
      [link(LOWER, ROOT, NOT_YET)],
      [link(ROOT, ROOT)],
      onlyValid('lower'),
    ],
    ['to an anchor that has just expired', leafBy(ROOT), [], [link(ROOT, ROOT, EXPIRED)], onlyValid('root')],
    [
      'when an anchor allows no intermediate',
      leafBy(LOWER),
      [link(LOWER, ROOT)],
      [link(ROOT, ROOT, { pathLength: 0 })],
      '"CN=root" allows 0 intermediates below it, and there are 1',
    ],
    [
      'when an intermediate allows none below it',
      leafBy(LOWER),
      [link(LOWER, UPPER), link(UPPER, ROOT, { pathLength: 0 })],
      [link(ROOT, ROOT)],
      '"CN=upper" allows 0 intermediates below it, and there are 1',
    ],
  ])('%s', async (_name, leaf, intermediates, anchors, why) => {
    expect(await way(leaf, intermediates, anchors)).toEqual(why);
  });

  it('and says so on one line, however many parts a name has', async () => {
    const shop = { ...SHOP, name: 'shop, O=Shop' };
    expect(await way(link(shop, LOWER, { isCa: false }), [], [link(ROOT, ROOT)])).toBe(
      'nothing in the chain or among the trust anchors signed "CN=shop, O=Shop"',
    );
  });

  it('and says so of a leaf that has no subject, as its names may all be alternative ones', async () => {
    const ca = await TestCa.create('nameless', NOON);
    const csr = await buildCsr(aSpec(), keyHandle(await generateKey({ algorithm: 'ECDSA', sizeBits: 256 })));
    const { leaf } = await ca.sign(csr, NOON, NOON + DAY_MS, { subject: '' });
    expect(inWords(verifyChain(readCertificate(leaf), [], [], NOON))).toBe(
      'nothing in the chain or among the trust anchors signed "a certificate without a subject"',
    );
  });

  it('to an impostor of the same name and key identifier: the signature decides', async () => {
    const impostor = await party('lower');
    const identified = [await SubjectKeyIdentifierExtension.create(LOWER.keys.publicKey)];
    const authority = [await AuthorityKeyIdentifierExtension.create(LOWER.keys.publicKey)];
    const leaf = leafBy(LOWER, { extensions: authority });
    const certified = (who: Party) => [link(who, ROOT, { extensions: identified })];
    expect(await way(leaf, certified(LOWER), [link(ROOT, ROOT)])).toBe('CN=lower > CN=root');
    expect(await way(leaf, certified(impostor), [link(ROOT, ROOT)])).toBe(NOBODY);
    expect(await way(leaf, [], [link(impostor, impostor, { extensions: identified })])).toBe(NOBODY);
  });

  it('to the last of as many anchors as a platform has', async () => {
    const strangers = Array.from({ length: 300 }, (_, index) => ({ ...ROOT, name: `stranger ${index}` }));
    const anchors = [...strangers, ROOT].map((each) => link(each, each));
    expect(await way(leafBy(LOWER), [link(LOWER, ROOT)], anchors)).toBe('CN=lower > CN=root');
  });

  it('at the price of a bounded search, where many certificates sign each other', async () => {
    const verify = vi.spyOn(X509Certificate.prototype, 'verify');
    onTestFinished(() => verify.mockRestore());
    // Twins of one name and key: each signed all the others, and there are eight factorial ways through them.
    const twins = Array.from({ length: 8 }, () => link(LOWER, LOWER));
    expect(await way(leafBy(LOWER), twins, [link(ROOT, ROOT)])).toBe(NOBODY);
    expect(verify.mock.calls.length).toBeLessThanOrEqual(200);
  });
});
