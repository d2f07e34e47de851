import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { caExtensions, sign, type Signer } from '../pca/authority.ts';
import { KEYS } from '../pca/keys.ts';
import type { LeafPlan } from '../pca/leaf.ts';
import { yearsFrom } from '../pca/validity.ts';
import * as x509 from '../pca/x509.ts';

const KEY_ALGORITHM = 'EC_prime256v1';
const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;

/** A trust anchor, and the certificate of the issuing CA that chains to it. */
export interface Path {
  readonly root: x509.X509Certificate;
  readonly intermediate: x509.X509Certificate;
}

/** One issuing CA under two roots, as public CAs have while a new root finds its way into trust stores. */
export class Hierarchy {
  readonly primary: Path;
  readonly alternate: Path;
  readonly #signer: Signer;

  private constructor(primary: Path, alternate: Path, signer: Signer) {
    this.primary = primary;
    this.alternate = alternate;
    this.#signer = signer;
  }

  static async create(now: number): Promise<Hierarchy> {
    const signer = await newSigner('CN=Everleaf ACME CA');
    const under = async (name: string): Promise<Path> => {
      const rootSigner = await newSigner(name);
      const intermediate = { ...lifetime(now), extensions: caExtensions(0) };
      return {
        root: await selfSigned(rootSigner, now),
        intermediate: await sign(
          { subject: signer.subject, publicKey: signer.keys.publicKey, ...intermediate },
          rootSigner,
        ),
      };
    };
    return new Hierarchy(await under('CN=Everleaf ACME root'), await under('CN=Everleaf ACME alternate root'), signer);
  }

  /** Hexadecimal: what the leaves' authority key identifier says. */
  get keyIdentifier(): string {
    return this.primary.intermediate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? '';
  }

  async issue(plan: LeafPlan): Promise<x509.X509Certificate> {
    const extensions = [
      new x509.BasicConstraintsExtension(plan.isCa, undefined, true),
      new x509.KeyUsagesExtension(plan.keyUsages, true),
      new x509.ExtendedKeyUsageExtension([...plan.purposes], plan.purposesAreCritical),
      ...(plan.subjectAltName === undefined ? [] : [plan.subjectAltName]),
    ];
    // Half of them have a highest bit, and so a leading zero octet in DER, which RFC 9773 puts into the certID.
    return await sign({ ...plan, extensions, serialNumber: randomBytes(16).toString('hex') }, this.#signer);
  }
}

export interface ServerIdentity {
  readonly key: string;
  readonly certificate: string;
  readonly root: string;
}

/** What the server itself shows, under a root of its own. */
export async function serverIdentity(hosts: readonly string[], now: number): Promise<ServerIdentity> {
  const signer = await newSigner('CN=Everleaf ACME server root');
  const root = await selfSigned(signer, now);
  const keys = await KEYS[KEY_ALGORITHM].generate();
  const names = [...new Set(['localhost', ...hosts])].map((value) => ({ type: 'dns' as const, value }));
  const extensions = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([...names, { type: 'ip', value: '127.0.0.1' }]),
  ];
  const subject = new x509.Name('CN=localhost');
  const wish = { subject, publicKey: keys.publicKey, ...lifetime(now), extensions };
  const certificate = await sign(wish, signer);
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, certificate: certificate.toString('pem'), root: root.toString('pem') };
}

/** For EC keys there is nothing to encipher (RFC 8422, section 3), and public CAs say so. */
export const keyUsagesOf = (key: KeyObject): number =>
  key.asymmetricKeyType === 'rsa' ? digitalSignature | keyEncipherment : digitalSignature;

/** By the virtual clock as by the wall's, which OpenSSL goes by. */
function lifetime(now: number): { readonly notBefore: number; readonly notAfter: number } {
  return { notBefore: yearsFrom(now, -2), notAfter: yearsFrom(Math.max(now, Date.now()), 5) };
}

async function newSigner(name: string): Promise<Signer> {
  const keys = await KEYS[KEY_ALGORITHM].generate();
  return { subject: new x509.Name(name), keys, keyAlgorithm: KEY_ALGORITHM };
}

async function selfSigned(signer: Signer, now: number): Promise<x509.X509Certificate> {
  const { subject, keys } = signer;
  const wish = { subject, publicKey: keys.publicKey, ...lifetime(now), extensions: caExtensions(undefined) };
  return await sign(wish, signer);
}
