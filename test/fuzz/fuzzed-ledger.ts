import assert from 'node:assert/strict';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { dueAt } from '../../functions/core/decide.ts';
import type { Ticket } from '../../functions/core/ports.ts';
import { type CertificateRecord, certificateRecord } from '../../functions/core/record.ts';
import { type Instant, toTimestamp } from '../../functions/core/time.ts';
import { apply, declare, type Happening } from '../../functions/core/transitions.ts';
import type { Order } from '../acme/ca-bench.ts';

/** An item of DynamoDB has 400 KB. */
const LARGEST_RECORD_BYTES = 400 * 1024;

/** Takes note of what a CA brought about: whatever it is, the ledger can be written. */
export class FuzzedLedger {
  readonly at: Instant;
  #record: CertificateRecord;

  constructor({ request }: Order, at: Instant) {
    this.at = at;
    this.#record = declare(request.certificate, { actor: 'fuzz', at });
    this.note({ event: 'AttemptStarted', attempt: request.attempt, reason: 'NotIssued' });
    this.#record = { ...this.#record, lease: { owner: 'fuzz', token: 1, expiresAt: at } };
    this.note({ event: 'OrderIntended', csr: request.csr, notAfter: request.notAfter });
  }

  /** What the CA is still to be told of. */
  get owed(): Ticket | undefined {
    return this.#record.abandoned?.[0]?.ticket;
  }

  note(happening: Happening): void {
    this.#record = apply(this.#record, happening, { actor: 'fuzz', at: this.at });
    const item = marshall(z.encode(certificateRecord, this.#record), { removeUndefinedValues: true });
    const size = Buffer.byteLength(JSON.stringify(item));
    assert.ok(size <= LARGEST_RECORD_BYTES, `a record of ${size} bytes`);
    const due = dueAt(this.#record);
    if (due !== undefined) assert.match(toTimestamp(due), /^\d{4}-/);
  }
}
