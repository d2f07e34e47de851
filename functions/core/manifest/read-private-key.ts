import type { PrivateKeySpec } from '../certificate.ts';
import type { CertificateFields } from './certificate-shape.ts';
import { error, warning, type Problem } from './finding.ts';
import type { Reading } from './reading.ts';

const DEFAULT_RSA_BITS = 2048;
const DEFAULT_ECDSA_BITS = 256;

export function readPrivateKey({ privateKey = {} }: CertificateFields): Reading<PrivateKeySpec> {
  const { algorithm = 'RSA', size, encoding, rotationPolicy } = privateKey;
  const problems: Problem[] = [];
  const value = keyOf(algorithm, size);
  if (value === undefined) problems.push(unusableKey(algorithm, size));
  if (rotationPolicy === 'Never') {
    const message = '`rotationPolicy: Never` keeps a key for years; here every version has a key of its own.';
    const remedy = 'Write `rotationPolicy: Always`. What pins the key must learn to trust the CA instead.';
    problems.push(error('NotSupportedYet', ['spec', 'privateKey', 'rotationPolicy'], message, remedy));
  }
  if (encoding === 'PKCS1') {
    // A warning, since it is what cert-manager's own examples write, and OpenSSL, Go, Java and .NET read PKCS#8 as well.
    const message = '`encoding: PKCS1` has no effect here: keys are stored as PKCS#8.';
    const remedy = 'Write `encoding: PKCS8`. Software that reads nothing else: openssl pkey -traditional converts.';
    problems.push(warning('NoMeaningHere', ['spec', 'privateKey', 'encoding'], message, remedy));
  }
  return { value: rotationPolicy === 'Never' ? undefined : value, problems };
}

type Algorithm = NonNullable<NonNullable<CertificateFields['privateKey']>['algorithm']>;

function keyOf(algorithm: Algorithm, size: number | undefined): PrivateKeySpec | undefined {
  // Zero is Go's way to leave a number out.
  const wanted = size === 0 ? undefined : size;
  if (algorithm === 'RSA') {
    const sizeBits = wanted ?? DEFAULT_RSA_BITS;
    return sizeBits === 2048 || sizeBits === 3072 || sizeBits === 4096 ? { algorithm, sizeBits } : undefined;
  }
  if (algorithm === 'ECDSA') {
    const sizeBits = wanted ?? DEFAULT_ECDSA_BITS;
    return sizeBits === 256 || sizeBits === 384 || sizeBits === 521 ? { algorithm, sizeBits } : undefined;
  }
  return undefined;
}

function unusableKey(algorithm: Algorithm, size: number | undefined): Problem {
  if (algorithm === 'Ed25519') {
    const remedy = 'Use ECDSA with 256 bits: as fast, and every client and CA takes it.';
    const path = ['spec', 'privateKey', 'algorithm'];
    return error('NotSupportedYet', path, 'Ed25519 keys are not supported yet.', remedy);
  }
  const path = ['spec', 'privateKey', 'size'];
  if (algorithm === 'ECDSA') {
    return error('KeySize', path, `There is no ECDSA curve of ${size} bits here.`, 'Use 256, 384 or 521.');
  }
  const weak = (size ?? 0) < DEFAULT_RSA_BITS;
  const message = weak ? `RSA keys of ${size} bits are too weak.` : `RSA keys of ${size} bits are not made here.`;
  return error('KeySize', path, message, 'Use 2048, 3072 or 4096; for more strength, ECDSA with 384.');
}
