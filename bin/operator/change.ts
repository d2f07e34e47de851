import type { CertificateId } from '../../functions/core/certificate.ts';
import { ConflictError } from '../../functions/core/errors.ts';
import type { Inventory, Versioned } from '../../functions/core/ports.ts';
import type { CertificateRecord } from '../../functions/core/record.ts';
import { apply, type Happening } from '../../functions/core/transitions.ts';
import type { Person } from './person.ts';

/** Tries against workers that write the same record. */
const ROUNDS = 10;

export type Outcome<R> =
  | { readonly changed: R }
  /** Nothing was written; `because` is for a person. */
  | { readonly because: string };

/** Where records of one kind are read and written, over the revision that was read. */
interface Shelf<R> {
  readonly read: () => Promise<Versioned<R> | undefined>;
  readonly write: (record: R, revision: number) => Promise<unknown>;
}

/** Writes what `next` makes of the record as it is, or says why nothing is written. It is written whole or not at all. */
export async function rewrite<R>({ read, write }: Shelf<R>, next: (record: R) => R | string): Promise<Outcome<R>> {
  for (let round = 1; ; round++) {
    const stored = await read();
    if (stored === undefined) return { because: 'it is not in the inventory' };
    const changed = next(stored.value);
    if (typeof changed === 'string') return { because: changed };
    try {
      await write(changed, stored.revision);
      return { changed };
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      if (round === ROUNDS) return { because: 'others wrote it again and again; try once more' };
    }
  }
}

/** What is to happen to a record, or why nothing is. */
export type Wish = (record: CertificateRecord) => Happening | string;

/** The one way in which a person writes to the ledger: by its own rules, and under the person's own name. */
export const change = (
  inventory: Inventory,
  id: CertificateId,
  wish: Wish,
  { arn, clock }: Pick<Person, 'arn' | 'clock'>,
): Promise<Outcome<CertificateRecord>> =>
  rewrite(
    { read: () => inventory.read(id), write: (record, revision) => inventory.write(record, revision) },
    (record) => {
      const happening = wish(record);
      return typeof happening === 'string' ? happening : apply(record, happening, { actor: arn, at: clock() });
    },
  );
