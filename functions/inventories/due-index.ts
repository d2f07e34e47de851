import * as z from 'zod/mini';
import { issuerId, issuerIdOf } from '../core/certificate.ts';
import { wantsOrder } from '../core/decide.ts';
import type { DueCertificate } from '../core/ports.ts';
import type { CertificateRecord } from '../core/record.ts';
import { type Instant, toTimestamp } from '../core/time.ts';

/** Name of the sparse index: an item is in it exactly while it will want a look one day. */
export const DUE_INDEX = 'due';

/** Partitions of the due index: writes spread over them, a tick asks each once. Changing it needs every item rewritten. */
export const DUE_SHARDS = 8;

const SEPARATOR = '#';
/** Sorts behind the separator, and so behind everything that is due at an instant. */
const AFTER_ALL = '~';
const NEVER = '-';

/**
 * The index's sort key: when the certificate is due; where that is for an order, when what is in use ends and who is to sign,
 * too. So a tick knows who goes first from the keys alone.
 *
 *   2026-11-24T10:00:00.000Z#2026-12-24T10:00:00.000Z#cert-manager.io/ClusterIssuer/public
 */
export function sortKeyOf(record: CertificateRecord, due: Instant): string {
  if (!wantsOrder(record, due)) return toTimestamp(due);
  const { current, spec } = record;
  const expiry = current === undefined ? NEVER : toTimestamp(current.leaf.notAfter);
  return [toTimestamp(due), expiry, issuerIdOf(spec.issuerRef)].join(SEPARATOR);
}

/** The greatest sort key of what is due at `now`. */
export const upTo = (now: Instant): string => toTimestamp(now) + AFTER_ALL;

/** What a sort key says. A key that says something else was due at `otherwise`. */
export function readSortKey(key: string, otherwise: Instant): Omit<DueCertificate, 'certificate'> {
  const [due = '', expiry = '', ...issuer] = key.split(SEPARATOR);
  const instant = Date.parse(due);
  const dueAt = Number.isNaN(instant) ? otherwise : instant;
  const parsed = z.safeParse(issuerId, issuer.join(SEPARATOR));
  if (!parsed.success) return { dueAt };
  const expiresAt = Date.parse(expiry);
  return { dueAt, order: { issuer: parsed.data, expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt } };
}
