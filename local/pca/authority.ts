import { type KeyObject, randomBytes } from 'node:crypto';
import { type KeyAlgorithm, type KeyPair, KEYS, signingAlgorithmOf } from './keys.ts';
import type { LeafPlan } from './leaf.ts';
import { yearsFrom } from './validity.ts';
import * as x509 from './x509.ts';

export interface AuthorityOptions {
  /** Tells the subjects of one CA from those of another. */
  readonly name: string;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly createdAt: number;
  readonly notAfter: number;
}

export interface Signer {
  readonly subject: x509.Name;
  readonly keys: KeyPair;
  readonly keyAlgorithm: KeyAlgorithm;
}

interface Wish {
  readonly subject: x509.Name;
  readonly publicKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly x509.Extension[];
  /** Hexadecimal; a random one when absent. */
  readonly serialNumber?: string;
}

const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags;

/** A root and the subordinate CA that signs the leaves. */
export class Authority {
  readonly root: x509.X509Certificate;
  readonly subordinate: x509.X509Certificate;
  readonly #signer: Signer;

  private constructor(root: x509.X509Certificate, subordinate: x509.X509Certificate, signer: Signer) {
    this.root = root;
    this.subordinate = subordinate;
    this.#signer = signer;
  }

  static async create({ name, keyAlgorithm, createdAt, notAfter }: AuthorityOptions): Promise<Authority> {
    const kind = KEYS[keyAlgorithm];
    const [rootKeys, keys] = await Promise.all([kind.generate(), kind.generate()]);
    const rootSigner = { subject: new x509.Name(`CN=Everleaf twin root ${name}`), keys: rootKeys, keyAlgorithm };
    const signer = { subject: new x509.Name(`CN=Everleaf twin CA ${name}`), keys, keyAlgorithm };
    const rootWish = {
      subject: rootSigner.subject,
      publicKey: rootKeys.publicKey,
      notBefore: yearsFrom(createdAt, -5),
      notAfter: yearsFrom(createdAt, 10),
      extensions: caExtensions(undefined),
    };
    const wish = {
      subject: signer.subject,
      publicKey: keys.publicKey,
      notBefore: yearsFrom(createdAt, -1),
      notAfter,
      extensions: caExtensions(0),
    };
    const root = await sign(rootWish, rootSigner);
    return new Authority(root, await sign(wish, rootSigner), signer);
  }

  async issue(plan: LeafPlan, signingAlgorithm: string): Promise<x509.X509Certificate> {
    const extensions = [
      // Not critical, as AWS's templates have it: RFC 5280, section 4.2.1.9 asks that of CA certificates only.
      new x509.BasicConstraintsExtension(plan.isCa, undefined, false),
      new x509.KeyUsagesExtension(plan.keyUsages, true),
      new x509.ExtendedKeyUsageExtension([...plan.purposes], plan.purposesAreCritical),
      ...(plan.subjectAltName === undefined ? [] : [plan.subjectAltName]),
    ];
    return await sign({ ...plan, extensions }, this.#signer, signingAlgorithm);
  }
}

/** Signs what is wished for, with the key identifiers that make a chain of it. */
export async function sign(
  wish: Wish,
  signer: Signer,
  signingAlgorithm = KEYS[signer.keyAlgorithm].signingAlgorithm,
): Promise<x509.X509Certificate> {
  const algorithm = { ...KEYS[signer.keyAlgorithm].webCrypto, hash: signingAlgorithmOf(signingAlgorithm).hash };
  return await x509.X509CertificateGenerator.create({
    subject: wish.subject,
    issuer: signer.subject,
    serialNumber: wish.serialNumber ?? randomSerial(),
    notBefore: wholeSeconds(wish.notBefore),
    notAfter: wholeSeconds(wish.notAfter),
    publicKey: spki(wish.publicKey),
    signingKey: signer.keys.privateKey.toCryptoKey(algorithm, false, ['sign']),
    signingAlgorithm: algorithm,
    extensions: [
      ...wish.extensions,
      await x509.SubjectKeyIdentifierExtension.create(spki(wish.publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(spki(signer.keys.publicKey)),
    ],
  });
}

export function caExtensions(pathLength: number | undefined): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(digitalSignature | keyCertSign | cRLSign, true),
  ];
}

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** 16 octets, neither negative nor with leading zeros (RFC 5280, section 4.1.2.2), so that it reads the same everywhere. */
function randomSerial(): string {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8() & 0x7f) | 0x40);
  return serial.toString('hex');
}

/** Certificates know no fractions of a second (RFC 5280, section 4.1.2.5). */
const wholeSeconds = (instant: number): Date => new Date(Math.floor(instant / 1_000) * 1_000);
