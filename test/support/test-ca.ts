import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { IssuedChain, VerifiedChain } from '../../functions/core/certificate.ts';
import type { Issuer, SigningRequest } from '../../functions/core/ports.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../functions/core/time.ts';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SERVER_AND_CLIENT = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth];

export interface LeafWishes {
  readonly subject?: string;
  readonly dnsNames?: readonly string[];
  /** Alternative names of any kind, instead of `dnsNames`. */
  readonly names?: x509.JsonGeneralNames;
  readonly publicKey?: webcrypto.CryptoKey;
  readonly notBefore?: Instant;
  readonly notAfter?: Instant;
  /** Extended key usages by OID; the extension is left out when there are none. */
  readonly purposes?: readonly string[];
  /** `none` leaves the extension out. */
  readonly keyUsages?: number | 'none';
  readonly isCa?: boolean;
  /** Added to those above. */
  readonly extensions?: readonly x509.Extension[];
}

/** A certificate with nothing in it but what is said here, for chains that no honest CA would build. */
export interface LinkWishes {
  readonly name: string;
  /** Who signs; the certificate itself if absent. */
  readonly by?: { readonly name: string; readonly keys: webcrypto.CryptoKeyPair };
  readonly keys: webcrypto.CryptoKeyPair;
  readonly isCa?: boolean;
  readonly pathLength?: number;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly extensions?: readonly x509.Extension[];
}

/** PEM. */
export async function signLink({ name, keys, by = { name, keys }, ...wishes }: LinkWishes): Promise<string> {
  const link = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: `CN=${by.name}`,
    publicKey: keys.publicKey,
    signingKey: by.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(wishes.notBefore),
    notAfter: new Date(wishes.notAfter),
    extensions: [
      new x509.BasicConstraintsExtension(wishes.isCa ?? true, wishes.pathLength, true),
      ...(wishes.extensions ?? []),
    ],
  });
  return link.toString('pem');
}

/** A root and an intermediate that sign whatever a test wishes. */
export class TestCa {
  readonly root: x509.X509Certificate;
  readonly intermediate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKeyPair;

  private constructor(root: x509.X509Certificate, intermediate: x509.X509Certificate, key: webcrypto.CryptoKeyPair) {
    this.root = root;
    this.intermediate = intermediate;
    this.#key = key;
  }

  static async create(name: string, at: Instant, lifetimeMs = 3650 * DAY_MS): Promise<TestCa> {
    const [rootKey, key] = await Promise.all([newKey(), newKey()]);
    const validity = { notBefore: new Date(at - 400 * DAY_MS), notAfter: new Date(at + lifetimeMs) };
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name} root`,
      keys: rootKey,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
      ...validity,
    });
    const intermediate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name} intermediate`,
      issuer: root.subject,
      publicKey: key.publicKey,
      signingKey: rootKey.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
      ...validity,
    });
    return new TestCa(root, intermediate, key);
  }

  /** Signs what the CSR asks for, but for what `wishes` say otherwise. */
  async sign(csrPem: string, at: Instant, notAfter: Instant, wishes: LeafWishes = {}): Promise<VerifiedChain> {
    const csr = new x509.Pkcs10CertificateRequest(csrPem);
    const { names: general = wishes.dnsNames?.map((value) => ({ type: 'dns' as const, value })) } = wishes;
    const names =
      general === undefined ? csr.getExtension('2.5.29.17') : new x509.SubjectAlternativeNameExtension(general);
    const usages = wishes.keyUsages ?? x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment;
    const purposes = wishes.purposes ?? SERVER_AND_CLIENT;
    const leaf = await x509.X509CertificateGenerator.create({
      subject: wishes.subject ?? csr.subject,
      issuer: this.intermediate.subject,
      publicKey: wishes.publicKey ?? csr.publicKey,
      signingKey: this.#key.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(wishes.notBefore ?? at - HOUR_MS),
      notAfter: new Date(wishes.notAfter ?? notAfter),
      extensions: [
        new x509.BasicConstraintsExtension(wishes.isCa ?? false, undefined, true),
        ...(usages === 'none' ? [] : [new x509.KeyUsagesExtension(usages, true)]),
        ...(purposes.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...purposes])]),
        ...(names === null ? [] : [names]),
        ...(wishes.extensions ?? []),
      ],
    });
    return {
      leaf: leaf.toString('pem'),
      intermediates: [this.intermediate.toString('pem')],
      trustAnchors: [this.root.toString('pem')],
    };
  }
}

export const newKey = async (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** A CA behind the Issuer port: one look says "waiting", the next has the chain. Counts what it signs. */
export class TestIssuer implements Issuer {
  /** CSRs signed, in order. */
  readonly signed: string[] = [];
  readonly #ca: TestCa;
  readonly #clock: () => Instant;
  readonly #orders = new Map<string, IssuedChain>();
  /** How the next leaves differ from what was asked. */
  wishes: LeafWishes = {};

  constructor(ca: TestCa, clock: () => Instant) {
    this.#ca = ca;
    this.#clock = clock;
  }

  async start({ csr, notAfter }: SigningRequest): ReturnType<Issuer['start']> {
    const order = `order-${this.signed.push(csr)}`;
    this.#orders.set(order, await this.#ca.sign(csr, this.#clock(), notAfter, this.wishes));
    return { status: 'waiting', ticket: { order }, checkAfterSeconds: 1 };
  }

  async check(_request: SigningRequest, ticket: Readonly<Record<string, string>>): ReturnType<Issuer['check']> {
    const chain = this.#orders.get(ticket['order'] ?? '');
    if (chain === undefined) throw new Error('no such order');
    return { status: 'done', value: chain };
  }

  async abandon(): Promise<void> {}
}
