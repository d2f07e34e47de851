import type { AcmeAnswer as Answer } from '../../../../local/acme/exchange.ts';
import { blocked, HEALED, type Outcome, type PcaCell, waits } from '../cell.ts';
import { asksForTime, type FaultName, FAULTS, RETRY_AFTER_SECONDS } from '../faults.ts';
import type { PcaCa } from './ca.ts';

const USUAL: Readonly<Record<FaultName, Outcome>> = {
  '500': waits('ServiceFailed'),
  '429, seconds': waits('Throttled'),
  '429, date': waits('Throttled'),
  '503, seconds': waits('ServiceFailed'),
  '503, date': waits('ServiceFailed'),
  truncated: waits('Unreachable'),
  slow: waits('Unreachable'),
  hanging: waits('Unreachable'),
  'a gigabyte': waits('CaAnswerTooLarge'),
  redirect: blocked('Refused', /: 307: a status, and no more$/),
  'invalid JSON': waits('AnswerUnreadable'),
  'a page of HTML': waits('AnswerUnreadable'),
  'wrong content type': HEALED,
};

/** In each of four looks the SDK may ask three times; with what goes before. An order is told apart by its token for five minutes. */
export const STEPS = [
  { step: 'DescribeCertificateAuthority', requests: 12, issuances: 0 },
  { step: 'IssueCertificate', requests: 16, issuances: 3 },
  { step: 'GetCertificate', requests: 14, issuances: 1 },
  { step: 'GetCertificateAuthorityCertificate', requests: 20, issuances: 1 },
] as const;

/** A day that ends with a certificate: five requests for it, and those again where something failed once. */
const GOOD_DAY = { requests: 10, issuances: 2 } as const;

export function meddle(
  ca: PcaCa,
  step: string,
  turns: number,
  answer: (act: () => Promise<Answer>) => Promise<Answer>,
): () => void {
  let turn = 0;
  ca.middleware = (operation, act) => (operation === step && turn++ < turns ? answer(act) : act());
  return () => void (ca.middleware = undefined);
}

/** Every fault of HTTP at every call, all day long and once. No answer of this protocol names a URL. */
export const pcaStepCells: readonly PcaCell[] = STEPS.flatMap(({ step, ...bounds }) =>
  (Object.keys(USUAL) as FaultName[]).flatMap((fault) =>
    (['always', 'once'] as const).map((lasts): PcaCell => {
      const declared = USUAL[fault];
      const expected = lasts === 'once' && declared.ends === 'waits' ? HEALED : declared;
      return {
        protocol: 'PCA',
        step,
        fault,
        lasts,
        begins: 'first issuance',
        expected,
        ...(expected.ends === 'healed' ? GOOD_DAY : bounds),
        ...(asksForTime(fault) ? { retryAfter: { seconds: RETRY_AFTER_SECONDS, step, alone: false } } : {}),
        lie: (ca, scene) => meddle(ca, step, lasts === 'once' ? 1 : Infinity, (act) => FAULTS[fault](act, scene)),
      };
    }),
  ),
);
