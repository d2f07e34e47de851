import { HOUR_MS } from '../../../functions/core/time.ts';
import type { Misissue, WRONG_LEAVES } from '../../../local/pca/wrong-leaves.ts';
import { blocked, HEALED, type Outcome } from './cell.ts';

type WrongLeaf = keyof typeof WRONG_LEAVES;

export const refused = (why: string): Outcome =>
  blocked('GateRefused', new RegExp(`^the CA's answer is not what was asked for: .*${why}`));

const UNLINKED = refused('nothing in the chain or among the trust anchors signed "');

/** What becomes of a leaf of every wrong kind. */
export const LEAVES: Readonly<Record<WrongLeaf, Outcome>> = {
  anotherKey: refused('the certificate is for another key'),
  otherNames: refused('the DNS name "elsewhere.example" was not asked for'),
  expired: refused('it expired at '),
  notYetValid: refused('it is not valid before '),
  untrusted: UNLINKED,
  withoutIntermediate: UNLINKED,
  wrongPurpose: refused('the extended key usage "email protection" was not asked for'),
  certificateAuthority: refused('it is a CA certificate'),
  longLived: refused('later than the .* asked for'),
};

/** PEM, and nothing of a certificate in it. */
export const NO_CERTIFICATE = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(64)}\n-----END CERTIFICATE-----\n`;

export const UNREADABLE = refused('unreadable: ');

/** As a CA signs whose clock is wrong; `end`: whether that goes for the end as well, or the date of it was asked for. */
const shifted =
  (ms: number, end: boolean): Misissue =>
  (honest) => ({
    ...honest,
    notBefore: honest.notBefore + ms,
    notAfter: honest.notAfter + (end ? ms : 0),
  });

/** CAs backdate by an hour, so that a clock an hour ahead is as good as one that is right. */
export const clocks = (shiftsEnd: boolean): readonly (readonly [fault: string, Outcome, Misissue])[] => [
  ['leaf: by a clock an hour ahead', HEALED, shifted(HOUR_MS, shiftsEnd)],
  [
    'leaf: by a clock an hour ahead, not backdated',
    refused('it is not valid before '),
    shifted(2 * HOUR_MS, shiftsEnd),
  ],
  ['leaf: by a clock an hour behind', HEALED, shifted(-HOUR_MS, shiftsEnd)],
];
