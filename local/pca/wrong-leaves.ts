import { generateKeyPairSync } from 'node:crypto';
import type { LeafPlan } from './leaf.ts';
import { ExtendedKeyUsage, SubjectAlternativeNameExtension } from './x509.ts';

/** Turns what a CA ought to sign into what it does sign. */
export type Misissue = (honest: LeafPlan) => LeafPlan;

const DAY_MS = 86_400_000;

/** Leaves that nobody may ever be served, one for each thing that has to be looked at before. */
export const WRONG_LEAVES = {
  anotherKey: (honest) => ({ ...honest, publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey }),
  otherNames: (honest) => ({
    ...honest,
    subjectAltName: new SubjectAlternativeNameExtension([{ type: 'dns', value: 'elsewhere.example' }]),
  }),
  expired: (honest) => ({ ...honest, notBefore: honest.notBefore - 30 * DAY_MS, notAfter: honest.notBefore }),
  notYetValid: (honest) => ({ ...honest, notBefore: honest.notBefore + DAY_MS, notAfter: honest.notAfter + DAY_MS }),
  untrusted: (honest) => ({ ...honest, signedBy: 'impostor' }),
  withoutIntermediate: (honest) => ({ ...honest, chain: 'root only' }),
  wrongPurpose: (honest) => ({ ...honest, purposes: [ExtendedKeyUsage.emailProtection] }),
  // Without keyCertSign among its key usages: OpenSSL, and so Node's `X509Certificate.ca`, does not call that a CA.
  certificateAuthority: (honest) => ({ ...honest, isCa: true }),
  longLived: (honest) => ({ ...honest, notAfter: honest.notAfter + 3_650 * DAY_MS }),
} as const satisfies Record<string, Misissue>;
