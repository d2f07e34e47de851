import { X509Certificate } from 'node:crypto';
import { ExtendedKeyUsage, Extension, type JsonGeneralNames, KeyUsageFlags } from '../../local/pca/x509.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CertificateSpec, IssuedChain, VerifiedChain } from '../../functions/core/certificate.ts';
import { type Candidate, judge, type Verdict } from '../../functions/core/gate.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import { DAY_MS, MINUTE_MS } from '../../functions/core/time.ts';
import { buildCsr } from '../../functions/core/x509/csr.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';
import { toPem } from '../../functions/core/x509/pem.ts';
import { generateKey } from '../../functions/issue/keys.ts';
import { aSpec, NOON } from '../support/builders.ts';
import { type LeafWishes, newKey, TestCa } from '../support/test-ca.ts';

const CA = await TestCa.create('gate', NOON);
const EC_KEY = keyHandle(await generateKey({ algorithm: 'ECDSA', sizeBits: 256 }));
const RSA_KEY = keyHandle(await generateKey({ algorithm: 'RSA', sizeBits: 2048 }));
const OTHER_KEY = (await newKey()).publicKey;
const END = NOON + 90 * DAY_MS;
const { digitalSignature, keyEncipherment, keyCertSign, cRLSign } = KeyUsageFlags;
const { serverAuth, clientAuth, codeSigning } = ExtendedKeyUsage;

interface Case {
  readonly asked?: Partial<CertificateSpec>;
  readonly given?: LeafWishes;
  readonly key?: typeof EC_KEY;
  readonly how?: Partial<Omit<Candidate, 'chain'>>;
}

type Made = Candidate & { readonly chain: VerifiedChain };

/** A plain leaf for both names and nobody's uninvited usages, but for what a case says otherwise. */
async function candidate({ asked, given, key = EC_KEY, how }: Case = {}): Promise<Made> {
  const spec = aSpec(asked);
  const chain = await CA.sign(await buildCsr(spec, key), NOON, END, { purposes: [], ...given });
  return {
    spec,
    publicKey: key.publicKey,
    chain,
    latestNotAfter: END,
    uninvitedUsages: [],
    withheldUsages: [],
    ...how,
  };
}

const verdictOn = async (made: Case): Promise<Verdict> => judge(await candidate(made), NOON);

const DNS: JsonGeneralNames = aSpec().dnsNames.map((value) => ({ type: 'dns', value }));
const CN = 'CN=orders.internal.example';
const unknownExtension = (critical: boolean) => new Extension('1.2.3.4.5', critical, new Uint8Array([5, 0]));

describe('the gate refuses a leaf', () => {
  it.each<[string, Case, string]>([
    ['for another key', { given: { publicKey: OTHER_KEY } }, 'the certificate is for another key'],
    ['without a DNS name', { given: { names: DNS.slice(0, 1) } }, 'the DNS name "orders.payments.svc" is missing'],
    [
      'with a DNS name more',
      { given: { names: [...DNS, { type: 'dns', value: 'evil.example' }] } },
      'the DNS name "evil.example" was not asked for',
    ],
    [
      'without an IP address',
      { asked: { ipAddresses: ['10.0.0.1'] }, given: { names: DNS } },
      'the IP address "10.0.0.1" is missing',
    ],
    [
      'with an IP address more',
      { given: { names: [...DNS, { type: 'ip', value: '10.0.0.2' }] } },
      'the IP address "10.0.0.2" was not asked for',
    ],
    [
      'without a URI',
      { asked: { uris: ['spiffe://a/b'] }, given: { names: DNS } },
      'the URI "spiffe://a/b" is missing',
    ],
    [
      'with a URI more',
      { given: { names: [...DNS, { type: 'url', value: 'spiffe://evil/b' }] } },
      'the URI "spiffe://evil/b" was not asked for',
    ],
    [
      'without an e-mail address',
      { asked: { emailAddresses: ['a@b.example'] }, given: { names: DNS } },
      'the e-mail address "a@b.example" is missing',
    ],
    [
      'with an e-mail address more',
      { given: { names: [...DNS, { type: 'email', value: 'evil@b.example' }] } },
      'the e-mail address "evil@b.example" was not asked for',
    ],
    [
      'with names of other kinds',
      {
        given: {
          names: [
            ...DNS,
            { type: 'upn', value: 'evil@b.example' },
            { type: 'dn', value: 'CN=evil' },
            { type: 'id', value: '1.2.3' },
          ],
        },
      },
      '3 names of a kind that nobody asked for',
    ],
    [
      'whose common name is nowhere',
      { asked: { commonName: 'boss.example' }, given: { subject: '' } },
      'the common name "boss.example" is missing',
    ],
    [
      'with a second common name',
      { given: { subject: `${CN}, CN=evil.example` } },
      'the common name is "evil.example", which nobody asked for',
    ],
    [
      'with a subject attribute that nobody asked for',
      { given: { subject: `${CN}, O=Evil` } },
      'the subject has "Evil" (2.5.4.10), which nobody asked for',
    ],
    [
      'with a subject attribute under another type than asked',
      { asked: { subject: { organizationalUnits: ['Shop'] } }, given: { subject: `${CN}, O=Shop` } },
      'the subject has "Shop" (2.5.4.10), which nobody asked for',
    ],
    [
      'without an extended key usage',
      { asked: { usages: ['digital signature', 'server auth', 'client auth'] }, given: { purposes: [clientAuth] } },
      'the extended key usage "server auth" is missing',
    ],
    [
      'with an extended key usage that nobody asked for',
      { given: { purposes: [codeSigning] } },
      'the extended key usage "code signing" was not asked for',
    ],
    [
      'with an extended key usage beside those that may come uninvited',
      { given: { purposes: [serverAuth, codeSigning] }, how: { uninvitedUsages: ['server auth'] } },
      'the extended key usage "code signing" was not asked for',
    ],
    [
      'of an RSA key without key encipherment',
      { given: { keyUsages: digitalSignature }, key: RSA_KEY },
      'key usage bits are missing (asked and got differ by 0x4)',
    ],
    [
      'of an EC key without digital signature',
      { given: { keyUsages: keyEncipherment } },
      'key usage bits are missing (asked and got differ by 0x1)',
    ],
    [
      'whose key may sign certificates',
      { given: { keyUsages: digitalSignature | keyCertSign } },
      'its key may sign certificates or revocation lists',
    ],
    [
      'whose key may sign revocation lists',
      { given: { keyUsages: digitalSignature | cRLSign } },
      'its key may sign certificates or revocation lists',
    ],
    ['that is a CA', { given: { isCa: true } }, 'it is a CA certificate'],
    [
      'with a critical extension that nobody knows',
      { given: { extensions: [unknownExtension(true)] } },
      'it has a critical extension that clients may not know (1.2.3.4.5)',
    ],
    [
      'that lives on after what was asked',
      { given: { notAfter: END + 6 * MINUTE_MS } },
      'it expires at 2026-08-30T12:06:00.000Z, later than the 2026-08-30T12:00:00.000Z asked for',
    ],
    [
      'that lives much shorter than what was asked',
      { given: { notAfter: NOON + 22 * DAY_MS } },
      'it expires at 2026-06-23T12:00:00.000Z, long before the 2026-08-30T12:00:00.000Z asked for',
    ],
    [
      'that lives a second less than a quarter',
      { given: { notAfter: NOON + 22.5 * DAY_MS - 1_000 } },
      'it expires at 2026-06-23T23:59:59.000Z, long before the 2026-08-30T12:00:00.000Z asked for',
    ],
    [
      'that lives a second more than five minutes after what was asked',
      { given: { notAfter: END + 5 * MINUTE_MS + 1_000 } },
      'it expires at 2026-08-30T12:05:01.000Z, later than the 2026-08-30T12:00:00.000Z asked for',
    ],
    [
      'that becomes valid in a second more than five minutes',
      { given: { notBefore: NOON + 5 * MINUTE_MS + 1_000 } },
      'it is not valid before 2026-06-01T12:05:01.000Z',
    ],
    [
      'that has just expired',
      { given: { notAfter: NOON }, how: { latestNotAfter: undefined } },
      'it expired at 2026-06-01T12:00:00.000Z',
    ],
    [
      'that becomes valid in ten minutes',
      { given: { notBefore: NOON + 10 * MINUTE_MS } },
      'it is not valid before 2026-06-01T12:10:00.000Z',
    ],
  ])('%s', async (_name, made, violation) => {
    expect(await verdictOn(made)).toEqual({ verdict: 'refuse', violations: [violation] });
  });

  it('with every reason at once, so that a person mends them together', async () => {
    const given = { subject: `${CN}, O=Evil`, isCa: true, notAfter: NOON - DAY_MS, names: DNS.slice(0, 1) };
    const verdict = await verdictOn({ given, how: { publicKey: RSA_KEY.publicKey, latestNotAfter: undefined } });
    expect(verdict.verdict === 'refuse' && verdict.violations).toHaveLength(5);
  });

  it.each([
    ['CN=orders.internal.example', CN],
    ['a certificate without a subject', ''],
  ])('that nothing links to the trust anchors: %s', async (name, subject) => {
    const made = await candidate({ given: { subject } });
    const other = await TestCa.create('gate', NOON);
    const chain = { ...made.chain, trustAnchors: [other.root.toString('pem')] };
    expect(judge({ ...made, chain }, NOON)).toEqual({
      verdict: 'refuse',
      violations: [`nothing in the chain or among the trust anchors signed "${name}"`],
    });
  });
});

describe('the gate passes a leaf', () => {
  it.each<[string, Case]>([
    ['that is just what was asked for', {}],
    ['whose DNS names are in capitals', { given: { dnsNames: aSpec().dnsNames.map((name) => name.toUpperCase()) } }],
    [
      'whose DNS names were asked for in capitals',
      { asked: { commonName: 'SHOP.example', dnsNames: ['Shop.Example'] }, given: { dnsNames: ['shop.example'] } },
    ],
    [
      'that has its common name among the DNS names',
      { asked: { commonName: 'a.example', dnsNames: ['b.example'] }, given: { dnsNames: ['b.example', 'a.example'] } },
    ],
    ['that has its common name in its subject alone', { asked: { commonName: 'boss.example' }, given: { names: DNS } }],
    ['that has another DNS name for its common name', { given: { subject: 'CN=orders.payments.svc' } }],
    ['that has no common name where a DNS name says it', { given: { subject: '' } }],
    [
      'whose IPv6 addresses are spelled in another way',
      {
        asked: { ipAddresses: ['2001:DB8:0:0:0:0:0:1', '::ffff:10.0.0.1'] },
        given: {
          names: [...DNS, { type: 'ip', value: '2001:db8::1' }, { type: 'ip', value: '::ffff:a00:1' }],
        },
      },
    ],
    [
      'that leaves a subject attribute out, and has another as asked',
      {
        asked: { subject: { organizations: ['Shop', 'Bank'], countries: ['DE'] } },
        given: { subject: `${CN}, O=Bank` },
      },
    ],
    [
      'with extended key usages that its issuer may add',
      { given: { purposes: [serverAuth, clientAuth] }, how: { uninvitedUsages: ['server auth', 'client auth'] } },
    ],
    ['of an EC key without key encipherment', { given: { keyUsages: digitalSignature } }],
    ['of an RSA key with key encipherment', { key: RSA_KEY }],
    [
      'of an RSA key without key encipherment, where its issuer may withhold it',
      { key: RSA_KEY, given: { keyUsages: digitalSignature }, how: { withheldUsages: ['key encipherment'] } },
    ],
    ['without key usages, which allows them all', { given: { keyUsages: 'none' } }],
    ['with an extension of any kind that is not critical', { given: { extensions: [unknownExtension(false)] } }],
    ['that lives five minutes longer', { given: { notAfter: END + 5 * MINUTE_MS } }],
    ['that lives a quarter', { given: { notAfter: NOON + 22.5 * DAY_MS } }],
    [
      'that lives shorter, where the CA promised nothing',
      { given: { notAfter: NOON + DAY_MS }, how: { latestNotAfter: undefined } },
    ],
    [
      'that lives longer, where the CA promised nothing',
      { given: { notAfter: END + DAY_MS }, how: { latestNotAfter: undefined } },
    ],
    ['that becomes valid in five minutes', { given: { notBefore: NOON + 5 * MINUTE_MS } }],
    ['that became valid now', { given: { notBefore: NOON } }],
  ])('%s', async (_name, made) => {
    expect(await verdictOn(made)).toMatchObject({ verdict: 'pass' });
  });

  it('that has no common name, where none was asked for', async () => {
    const { commonName: _none, ...spec } = aSpec();
    const made = await candidate();
    const chain = await CA.sign(await buildCsr(spec, EC_KEY), NOON, END, { purposes: [] });
    expect(judge({ ...made, spec, chain }, NOON)).toMatchObject({ verdict: 'pass' });
  });

  it('up to an anchor that another CA signed, where that is the anchor to expect', async () => {
    const made = await candidate();
    const anchor = CA.intermediate.toString('pem');
    const verdict = judge({ ...made, chain: { ...made.chain, intermediates: [], trustAnchors: [anchor] } }, NOON);
    expect(verdict).toMatchObject({
      verdict: 'pass',
      chain: { intermediates: [], trustAnchors: [new X509Certificate(anchor).toString()] },
    });
  });

  it('with its facts, and hands on the path and its anchor alone, written anew', async () => {
    const made = await candidate();
    const stranger = await TestCa.create('stranger', NOON);
    const dressed = (pem: string): string => `subject=/CN=x\r\n${pem.replaceAll('\n', '\r\n')}\ntrailing text`;
    const verdict = judge(
      {
        ...made,
        chain: {
          leaf: dressed(made.chain.leaf),
          intermediates: [dressed(stranger.intermediate.toString('pem')), ...made.chain.intermediates.map(dressed)],
          trustAnchors: [stranger.root.toString('pem'), ...made.chain.trustAnchors.map(dressed)],
        },
      },
      NOON,
    );
    const anew = (pem: string): string => new X509Certificate(pem).toString();
    const { serialNumber, sha256Fingerprint, notBefore, notAfter } = readCertificate(made.chain.leaf);
    expect(verdict).toEqual({
      verdict: 'pass',
      leaf: { serialNumber, sha256Fingerprint, notBefore, notAfter },
      chain: {
        leaf: anew(made.chain.leaf),
        intermediates: [anew(CA.intermediate.toString('pem'))],
        trustAnchors: [anew(CA.root.toString('pem'))],
      },
    });
  });
});

const SOUND = await candidate();

describe('the gate throws nothing', () => {
  const judged = (chain: Partial<IssuedChain>): Verdict =>
    judge({ ...SOUND, chain: { ...SOUND.chain, ...chain } }, NOON);
  const certificatePem = (der: Uint8Array): string => toPem('CERTIFICATE', der);
  const refusal = { verdict: 'refuse', violations: [expect.stringMatching(/./) as unknown] };

  it.each<[string, Partial<IssuedChain>]>([
    ['an empty leaf', { leaf: '' }],
    ['a leaf that is a page of HTML', { leaf: '<html>502</html>' }],
    ['a leaf that is another kind of PEM', { leaf: toPem('PUBLIC KEY', new Uint8Array([48, 0])) }],
    ['an intermediate that is no certificate', { intermediates: ['-----BEGIN CERTIFICATE-----\nAA==\n'] }],
    ['an anchor that is no certificate', { trustAnchors: ['?'] }],
    ['no anchor at all', { trustAnchors: [] }],
  ])('at %s', (_name, chain) => {
    expect(judged(chain)).toEqual(refusal);
  });

  it('at more than ten certificates, and reads none of them', () => {
    const filler = Array.from({ length: 9 }, () => 'not read');
    expect(judged({ intermediates: filler })).toEqual({
      verdict: 'refuse',
      violations: ['more than 10 certificates in the answer'],
    });
    const eight = Array.from({ length: 8 }, () => CA.intermediate.toString('pem'));
    expect(judged({ intermediates: eight }).verdict).toBe('pass');
  });

  it('at random bytes, whichever certificate they stand for', () => {
    const garbage = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }).map(certificatePem));
    fc.assert(
      fc.property(garbage, fc.constantFrom('leaf', 'intermediates', 'trustAnchors'), (text, where) => {
        expect(judged({ [where]: where === 'leaf' ? text : [text] }).verdict).toBe('refuse');
      }),
    );
  });

  it('at a real certificate with a byte changed, and never passes such a leaf', () => {
    const pems = {
      leaf: SOUND.chain.leaf,
      root: CA.root.toString('pem'),
      intermediate: CA.intermediate.toString('pem'),
    };
    const ders = Object.entries(pems).map(([which, pem]) => ({ which, der: new X509Certificate(pem).raw }));
    fc.assert(
      fc.property(
        fc.constantFrom(...ders),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        ({ which, der }, at, change) => {
          const mutated = Uint8Array.from(der);
          mutated[at % der.length] = (mutated[at % der.length] ?? 0) ^ change;
          const pem = certificatePem(mutated);
          const chain =
            which === 'leaf' ? { leaf: pem } : which === 'root' ? { trustAnchors: [pem] } : { intermediates: [pem] };
          // An anchor is trusted for its name and key: its own signature says nothing.
          expect(judged(chain).verdict).toMatch(which === 'root' ? /pass|refuse/ : /refuse/);
        },
      ),
      { numRuns: 500 },
    );
  });
});
