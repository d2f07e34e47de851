import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../functions/core/time.ts';
import type { Cell } from './cell.ts';
import type { Report } from './run-cell.ts';

const LONGEST_MESSAGE_CHARACTERS = 1_000;

/** The adapters stop at a quarter of a mebibyte; the rest is what sockets hold. */
const MOST_POURED_BYTES = 16 * 2 ** 20;

/** What in a cell is not as it was declared, or as it has to be in every one. Nothing: all is well. */
export const deviations = (cell: Cell, report: Report): readonly string[] => [
  ...outcomeDeviations(cell, report),
  ...(cell.retryAfter === undefined ? [] : patienceDeviations(cell, report, cell.retryAfter)),
  ...unlessMost('requests', report.asked.length, cell.requests),
  ...unlessMost('issuances', report.issuances, cell.issuances),
  ...unlessMost('bytes taken of one answer', report.poured, MOST_POURED_BYTES),
  ...unlessMost('characters in a message', report.longestMessage, LONGEST_MESSAGE_CHARACTERS),
  ...unlessMost('visits where nobody may be led', report.trapped, 0),
  ...report.strangers.map((host) => `${host} was asked, which is not the CA`),
  ...report.leaks.map((where) => `a private key is in ${where}`),
  ...report.crashes,
  ...(report.lostSight ? ['the certificate in use was lost'] : []),
];

function* outcomeDeviations(
  { expected }: Cell,
  { ends, code, message = '', currentAfterMs }: Report,
): Iterable<string> {
  const wanted = 'code' in expected ? expected.code : undefined;
  if (ends !== expected.ends || code !== wanted) {
    yield `it ${ends} (${code}: ${message}), and was declared: ${expected.ends} (${wanted})`;
  }
  if (expected.ends === 'blocked' && !expected.says.test(message)) yield `the message is: ${message}`;
  if (currentAfterMs === undefined) yield 'no certificate within a day of the CA’s recovery';
  else yield* unlessMost('ms after the CA’s recovery', currentAfterMs, DAY_MS);
}

/** Failures in a row after which our own backoff is shorter than what the CA asks for. */
const PATIENT_TURNS = 3;

/** No request before the second that the CA names, and one at most a tick after it. */
function* patienceDeviations(
  { lasts }: Cell,
  { asked, began }: Report,
  { seconds, step, alone }: NonNullable<Cell['retryAfter']>,
): Iterable<string> {
  const refused = [...asked.entries()]
    .filter(([, each]) => each.step === step)
    .slice(0, lasts === 'once' ? 1 : undefined);
  if (refused.length === 0) yield `${step} was never asked for`;
  for (const [turn, [index, refusal]] of refused.entries()) {
    const until = refusal.at + seconds * SECOND_MS;
    const next = asked.slice(index + 1).find(({ path }) => !alone || path === refusal.path);
    if (next !== undefined && next.at < until) yield `${until - next.at} ms too soon after refusal ${turn + 1}`;
    const isWanted = turn < PATIENT_TURNS && until + MINUTE_MS < began + DAY_MS && !alone;
    if (isWanted && (next?.at ?? Infinity) > until + MINUTE_MS) yield `more than a tick late after refusal ${turn + 1}`;
  }
}

const unlessMost = (what: string, count: number, most: number): readonly string[] =>
  count <= most ? [] : [`${count} ${what}, and ${most} are the most`];
