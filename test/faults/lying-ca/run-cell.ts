import { setImmediate } from 'node:timers/promises';
import { DAY_MS, type Instant, MINUTE_MS } from '../../../functions/core/time.ts';
import { AcmeCa, acmeRefusal } from './acme/ca.ts';
import { begin } from './begin.ts';
import { type Asked, type Ca, slotOf } from './ca.ts';
import type { Cell } from './cell.ts';
import type { Scene } from './faults.ts';
import { leaksOf } from './leaks.ts';
import { PcaCa, pcaRefusal } from './pca/ca.ts';
import { CellClock } from './clock.ts';
import { Pipeline } from './pipeline.ts';
import { setTrap, type Trap } from './trap.ts';

/** What was seen in a cell. */
export interface Report {
  readonly ends: 'healed' | 'waits' | 'blocked';
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly began: Instant;
  /** What the CA was asked in the bad day. */
  readonly asked: readonly Asked[];
  readonly issuances: number;
  /** A new certificate was current so long after one was wanted, */
  readonly healedAfterMs: number | undefined;
  /** or after the day had ended; at once where it was there before. Absent: it never was. */
  readonly currentAfterMs: number | undefined;
  /** Set where the certificate in use before was not there all the while. */
  readonly lostSight: boolean;
  readonly trapped: number;
  readonly strangers: readonly string[];
  readonly poured: number;
  readonly leaks: readonly string[];
  readonly longestMessage: number;
  /** Thrown at the handler, or at nobody. */
  readonly crashes: readonly string[];
}

/** A day under the fault, by schedule and hints; and then at most another one with an honest CA, by the schedule alone. */
export async function runCell(cell: Cell): Promise<Report> {
  const [clock, trap] = [new CellClock(), await setTrap()];
  const [ca, lie] = await prepare(cell, clock, trap);
  const unhandled: string[] = [];
  const note = (reason: unknown): void => void unhandled.push(`unhandled: ${String(reason)}`);
  process.on('unhandledRejection', note);
  try {
    const pipeline = await Pipeline.declare(ca, clock);
    const { behave, began, wantedAt } = await begin(pipeline, clock, cell.begins, lie);
    const before = await pipeline.record();
    const [askedBefore, issuedBefore] = [ca.asked.length, ca.issued()];
    const isNew = ({ generation }: { readonly generation: number }): boolean => generation > before.generation;
    await pipeline.live(began + DAY_MS, 'schedule and hints');
    const after = await pipeline.record();
    const [asked, issuances] = [ca.asked.slice(askedBefore), ca.issued() - issuedBefore];
    const lostSight = before.current !== undefined && pipeline.store.served(slotOf(ca)) === undefined;
    behave();
    await pipeline.live(began + 2 * DAY_MS + MINUTE_MS, 'schedule', isNew);
    const end = await pipeline.record();
    await setImmediate();
    const wasHealed = isNew(after);
    const currentAt = pipeline.currentSince(before.generation);
    const { blocked, last } = after.failures;
    return {
      ends: wasHealed ? 'healed' : blocked ? 'blocked' : 'waits',
      code: wasHealed ? undefined : last?.code,
      message: wasHealed ? undefined : last?.message,
      began,
      asked,
      issuances,
      healedAfterMs: wasHealed && currentAt !== undefined ? Math.max(0, currentAt - wantedAt) : undefined,
      currentAfterMs: isNew(end) && currentAt !== undefined ? Math.max(0, currentAt - began - DAY_MS) : undefined,
      lostSight,
      trapped: trap.visits(),
      strangers: [...ca.hosts].filter((host) => host !== ca.ownHost),
      poured: ca.poured,
      leaks: await leaksOf(pipeline, ca),
      longestMessage: Math.max(0, ...pipeline.messages().map(({ length }) => length)),
      crashes: [...pipeline.crashes, ...unhandled],
    };
  } finally {
    process.off('unhandledRejection', note);
    await ca.close();
    await trap.close();
  }
}

async function prepare(cell: Cell, clock: CellClock, trap: Trap): Promise<[Ca, () => () => void]> {
  const around = { now: clock.now, trapPort: trap.port };
  if (cell.protocol === 'ACME') {
    const ca = await AcmeCa.start(clock);
    const scene: Scene = { ...around, ca, refusal: acmeRefusal };
    return [ca, () => cell.lie(ca, scene)];
  }
  const ca = await PcaCa.start(clock);
  const scene: Scene = { ...around, ca, refusal: pcaRefusal };
  return [ca, () => cell.lie(ca, scene)];
}
