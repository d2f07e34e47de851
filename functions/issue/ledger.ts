import { certificateBook } from '../core/certificate-book.ts';
import { type Claim, RecordLedger } from '../core/ledger.ts';
import type { Inventory, Versioned } from '../core/ports.ts';
import type { CertificateRecord, Transition } from '../core/record.ts';
import type { Instant } from '../core/time.ts';
import type { Happening } from '../core/transitions.ts';

/** The issuing worker's hold on one certificate's record. */
export class Ledger extends RecordLedger<Transition, CertificateRecord, Happening> {
  constructor(
    inventory: Inventory,
    stored: Versioned<CertificateRecord>,
    claim: Claim,
    clock: () => Instant,
    onTransition: (transition: Transition, record: CertificateRecord) => void,
  ) {
    super(certificateBook(inventory, 'issue'), stored, claim, clock, onTransition);
  }
}
