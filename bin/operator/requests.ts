import { eventBridgeBus } from '../../functions/buses/eventbridge.ts';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import type { CertificateId } from '../../functions/core/certificate.ts';
import { describeFailure } from '../../functions/core/errors.ts';
import { inParallel } from '../../functions/core/in-parallel.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_INTERRUPTED } from '../commands/exit-codes.ts';
import { passingLine, type Terminal } from '../terminal.ts';
import type { Account } from './account.ts';
import { change, type Outcome, type Wish } from './change.ts';

/** Records written side by side. */
const CONCURRENCY = 10;

/** Beyond so many the schedule is as quick. */
const MOST_HINTS = 100;

/** What became of a request for many, certificate by certificate. */
export interface Report {
  readonly done: readonly CertificateId[];
  /** Nothing was to be done for these. */
  readonly skipped: readonly { readonly certificate: CertificateId; readonly because: string }[];
  /** Interrupted before these, by a person or by a failure. */
  readonly notReached: readonly CertificateId[];
  /** What is thrown once the report was printed. */
  readonly failure?: unknown;
}

/** Writes one certificate's request; or says, for a person, why there is none. */
export type Ask = (record: CertificateRecord) => Promise<Outcome<unknown>>;

/** A wish that its own record is to hold. */
export const asking =
  ({ inventory, person }: Account, wish: Wish): Ask =>
  ({ id }) =>
    change(inventory, id, wish, person);

/** Writes a request for each certificate, and tells the pipeline to look. A record is written whole or not at all, also at Ctrl-C. */
export async function request(
  account: Account,
  records: readonly CertificateRecord[],
  ask: Ask,
  { signal, stderr }: { readonly signal: AbortSignal; readonly stderr: NodeJS.WritableStream },
): Promise<Report> {
  const line = passingLine(stderr);
  const done: CertificateId[] = [];
  const skipped: { certificate: CertificateId; because: string }[] = [];
  const notReached: CertificateId[] = [];
  let failure: unknown;
  await inParallel(records, CONCURRENCY, async (record) => {
    const { id } = record;
    if (signal.aborted || failure !== undefined) return void notReached.push(id);
    let outcome: Outcome<unknown>;
    try {
      outcome = await ask(record);
    } catch (error) {
      // What was written by then is written, and wants to be told.
      failure ??= error;
      return void notReached.push(id);
    }
    if ('because' in outcome) skipped.push({ certificate: id, because: outcome.because });
    else done.push(id);
    line.show(`${done.length + skipped.length} of ${records.length} certificates`);
  });
  line.clear();
  await hint(account, done.slice(0, MOST_HINTS), stderr);
  return { done, skipped, notReached, failure };
}

/** Only a hint: the schedule looks anyway. */
export async function hint(
  { stack, endpoint }: Account,
  ids: readonly CertificateId[],
  stderr: NodeJS.WritableStream,
  type: 'Certificate Renewal Due' | 'Certificate Deployment Due' = 'Certificate Renewal Due',
): Promise<void> {
  if (ids.length === 0) return;
  const client = new EventBridgeClient({ ...CLIENT_SETTINGS, ...endpoint });
  try {
    await eventBridgeBus(stack.busName, client).publish(
      ids.map((certificate) => ({
        type,
        detail: { schemaVersion: '1' as const, certificate },
      })),
    );
  } catch (error) {
    const { message } = describeFailure(error);
    stderr.write(`The pipeline could not be told at once (${message}); its schedule takes it up within a minute.\n`);
  } finally {
    client.destroy();
  }
}

/** Says what was done and what was not, then throws what ended it. `verb`: "asked to be renewed". */
export function printReport({ failure, ...report }: Report, verb: string, json: boolean, { stdout }: Terminal): number {
  const { done, skipped, notReached } = report;
  if (json) stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    for (const id of done) stdout.write(`✔ ${id}: ${verb}\n`);
    for (const { certificate, because } of skipped) stdout.write(`– ${certificate}: ${because}\n`);
    if (notReached.length > 0) {
      stdout.write(`Interrupted. Not reached, and left as they are: ${notReached.join(', ')}\n`);
    }
  }
  if (failure !== undefined) throw failure;
  if (notReached.length > 0) return EXIT_INTERRUPTED;
  return done.length === 0 ? EXIT_FINDINGS : EXIT_FINE;
}
