import { type AcmeCell, HEALED } from '../cell.ts';
import { asksForTime, type FaultName, FAULTS, RETRY_AFTER_SECONDS } from '../faults.ts';
import { GOOD_DAY_REQUESTS, RENEWAL } from './cell.ts';
import { meddle, type Resource } from './meddle.ts';
import { ACTED, COURTESY, type Row, UNREAD, USUAL, WITHOUT_BODY } from './outcomes.ts';

/** The most requests and signatures of a day that ends without a certificate: four looks, with what each has to repeat. */
type Step = readonly [step: string, resource: Resource, outcomes: Row, requests: number, issuances: number];

const FIRST_ISSUANCE: readonly Step[] = [
  ['directory', 'directory', USUAL, 4, 0],
  ['newNonce', 'newNonce', WITHOUT_BODY, 5, 0],
  ['newAccount', 'newAccount', UNREAD, 9, 0],
  ['newOrder', 'newOrder', USUAL, 10, 0],
  ['authorization', 'authorization', USUAL, 11, 0],
  ['challenge', 'challenge', UNREAD, 12, 0],
  ['order', 'order', USUAL, 16, 0],
  ['finalize', 'finalize', ACTED, 20, 0],
  ['certificate', 'certificate', USUAL, 22, 1],
];

const RENEWALS: readonly Step[] = [
  ['renewalInfo', 'renewalInfo', COURTESY, 0, 0],
  ['newOrder with replaces', 'newOrder', USUAL, 14, 0],
];

/** Every fault of HTTP at every step of the protocol, all day long and once. */
export const acmeStepCells: readonly AcmeCell[] = [
  ...FIRST_ISSUANCE.flatMap((step) => cellsOf(step, 'first issuance')),
  ...RENEWALS.flatMap((step) => cellsOf(step, RENEWAL)),
];

function cellsOf(step: Step, begins: AcmeCell['begins']): AcmeCell[] {
  const [, , outcomes] = step;
  return (Object.keys(outcomes) as FaultName[]).flatMap((fault) =>
    (['always', 'once'] as const).flatMap((lasts) => cellOf(step, fault, lasts, begins)),
  );
}

function cellOf(
  [step, resource, outcomes, requests, issuances]: Step,
  fault: FaultName,
  lasts: AcmeCell['lasts'],
  begins: AcmeCell['begins'],
): AcmeCell[] {
  const declared = outcomes[fault];
  if (declared === undefined) return [];
  // What passes by itself has passed within the day; what a person is told of stays until the daily look.
  const expected = lasts === 'once' && declared.ends === 'waits' ? HEALED : declared;
  const isGoodDay = expected.ends === 'healed';
  return [
    {
      protocol: 'ACME',
      step,
      fault,
      lasts,
      begins,
      expected,
      requests: isGoodDay ? GOOD_DAY_REQUESTS : requests,
      issuances: isGoodDay ? 1 : issuances,
      ...(asksForTime(fault)
        ? { retryAfter: { seconds: RETRY_AFTER_SECONDS, step: resource, alone: resource === 'renewalInfo' } }
        : {}),
      lie: (ca, scene) => meddle(ca, resource, lasts === 'once' ? 1 : Infinity, (next) => FAULTS[fault](next, scene)),
    },
  ];
}
