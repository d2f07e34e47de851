import * as z from 'zod/mini';
import type { Endpoint, ProbeResult } from './ports.ts';

/** What one address answered, as it is kept and told. */
export const evidence = z.object({
  /** `orders.internal.example:443` */
  endpoint: z.string(),
  address: z.string(),
  verdict: z.enum(['served', 'otherLeaf', 'badChain', 'unreachable', 'refused']),
  /** Of the leaf that was served. */
  sha256Fingerprint: z.optional(z.string()),
  detail: z.string(),
});
export type Evidence = z.infer<typeof evidence>;

const DETAIL_LIMIT_CHARACTERS = 300;

export function evidenceOf({ endpoint, address, verdict, sha256Fingerprint, detail }: ProbeResult): Evidence {
  return {
    endpoint: nameOf(endpoint),
    address,
    verdict,
    ...(sha256Fingerprint === undefined ? {} : { sha256Fingerprint }),
    detail: detail.slice(0, DETAIL_LIMIT_CHARACTERS).toWellFormed(),
  };
}

const nameOf = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** `10.0.1.7 at orders.internal.example:443: otherLeaf (…)` */
export const inWords = ({ endpoint, address, verdict, detail }: Evidence): string =>
  `${address} at ${endpoint}: ${verdict}${detail === '' ? '' : ` (${detail})`}`;
