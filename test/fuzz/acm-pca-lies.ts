import * as fc from 'fast-check';
import * as z from 'zod/mini';
import { KEY_MARKS_IN_JSON } from './planted-keys.ts';
import { keptChange, strangeChange } from './json-inputs.ts';

const OPERATIONS = [
  'DescribeCertificateAuthority', 'IssueCertificate', 'GetCertificate', 'GetCertificateAuthorityCertificate',
] as const; // prettier-ignore

/** What AWS says in place of the truth, to one operation. */
export type AwsLie = z.infer<typeof awsLie>;
export const awsLie = z.object({
  operation: z.enum(OPERATIONS),
  status: z.int(),
  /** Instead of the true body. */
  body: z.optional(z.string()),
  /** Made to the true body. */
  changes: z.array(keptChange),
});

const PEM = [
  '', '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n', '-----BEGIN CERTIFICATE-----', ...KEY_MARKS_IN_JSON,
]; // prettier-ignore

const bodies = fc.oneof(
  fc.constantFrom(
    '', 'null', '5', '[]', '{', '"x"', '{"__type":"RequestInProgressException"}', '{"__type":"__proto__"}',
    '{"__type":"RequestFailedException","message":"@EC-BASE64@"}',
  ),
  fc
    .record({ leaf: fc.constantFrom(...PEM), link: fc.constantFrom(...PEM), copies: fc.integer({ min: 1, max: 50 }) })
    .map(({ leaf, link, copies }) => JSON.stringify({ Certificate: leaf, CertificateChain: link.repeat(copies) })),
); // prettier-ignore

export const awsLies: fc.Arbitrary<AwsLie> = fc.record({
  operation: fc.constantFrom(...OPERATIONS, 'GetCertificate', 'GetCertificate'),
  // None of 5xx: the SDK waits before it asks again.
  status: fc.constantFrom(200, 200, 200, 400, 403),
  body: fc.option(bodies, { nil: undefined, freq: 2 }),
  changes: fc.array(strangeChange, { maxLength: 3 }),
});
