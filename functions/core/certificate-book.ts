import type { Book } from './ledger.ts';
import type { Inventory } from './ports.ts';
import type { CertificateRecord } from './record.ts';
import { apply, type Happening } from './transitions.ts';

/** Certificates as a worker of that name keeps them. */
export const certificateBook = (inventory: Inventory, actor: string): Book<CertificateRecord, Happening> => ({
  read: (id) => inventory.read(id),
  write: (record, revision) => inventory.write(record, revision),
  apply: (record, happening, at) => apply(record, happening, { actor, at }),
});
