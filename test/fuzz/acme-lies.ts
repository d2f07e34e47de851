import * as fc from 'fast-check';
import * as z from 'zod/mini';
import { type AcmeAnswer, type AcmeMiddleware, DROPPED, json, type Resource } from '../../local/acme/exchange.ts';
import { changeTree, type Tree, type TreeChange } from '../support/mutations.ts';
import { KEY_MARKS_IN_JSON, withKeys } from './planted-keys.ts';
import { keptChange, strangeChange } from './json-inputs.ts';

/** `@CA@` in a header or a body is the CA's own origin. */
const RESOURCES = [
  'directory', 'newNonce', 'newAccount', 'newOrder', 'order', 'finalize', 'authorization', 'challenge', 'certificate', 'renewalInfo',
] as const satisfies readonly Resource[]; // prettier-ignore

/** What a CA says in place of the truth, in all its answers of one kind. */
export type Lie = z.infer<typeof lieSchema>;
export const lieSchema = z.object({
  resource: z.enum(RESOURCES),
  /** As many answers of that kind are true before it. */
  after: z.int(),
  status: z.optional(z.int()),
  headers: z.record(z.string(), z.string()),
  /** Instead of the true body. */
  body: z.optional(z.string()),
  /** Made to the true body. */
  changes: z.array(keptChange),
});

const PROBLEM_TYPES = [
  'badNonce', 'rateLimited', 'malformed', 'orderNotReady', 'accountDoesNotExist', 'unauthorized', 'caa', 'constructor', '__proto__',
  'toString', '', '☃', '\u001B[2J', 'x'.repeat(2_000), ...KEY_MARKS_IN_JSON,
]; // prettier-ignore

const problem = fc
  .record({
    type: fc.constantFrom(...PROBLEM_TYPES),
    detail: fc.constantFrom('no', '\u001B]0;\u0007', '😀'.repeat(151), '\ud800', '@EC-PEM-IN-JSON@', '@RSA-BASE64@'),
  })
  .map(({ type, detail }) =>
    JSON.stringify({
      type: `urn:ietf:params:acme:error:${type}`,
      detail,
      subproblems: [{ type, detail, identifier: { value: detail } }, detail],
    }),
  );

const HEADERS = fc.dictionary(
  fc.constantFrom('location', 'retry-after', 'link', 'replay-nonce', 'content-type'),
  fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      '0',
      '-1',
      '99999999999999999999',
      '9'.repeat(400),
      'Wed, 21 Oct 2099 07:28:00 GMT',
      '275760-09-13',
      'x',
      '@CA@/order/1',
    ),
    fc.constantFrom(
      'https://metadata.example/',
      'https://169.254.169.254/',
      'http://127.0.0.1/',
      'javascript:alert(1)',
      '//evil.example',
      '@CA@/account/0',
    ),
    fc.constantFrom(
      '<@CA@/certificate/x>;rel="alternate"',
      '<>;rel=alternate',
      '<https://[>; rel="alternate"',
      '<'.repeat(2_000),
      `<@CA@/x>;${' '.repeat(4_000)}`,
    ),
    fc.constantFrom('@EC-BASE64@', 'é\u0085\u009B', 'a'.repeat(3_000)),
  ),
  { maxKeys: 2 },
);

const BODIES = [
  '',
  'null',
  '0',
  'false',
  '""',
  '[]',
  '{}',
  '<html>log in</html>',
  '{',
  '['.repeat(20_000),
  '{"a":'.repeat(5_000),
  '@RSA-PEM@',
  '"@EC-BASE64@"',
];

const sometimes = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });

export const lies: fc.Arbitrary<Lie> = fc.record({
  resource: fc.constantFrom(...RESOURCES),
  after: fc.constantFrom(0, 0, 0, 1, 2),
  status: sometimes(fc.constantFrom(200, 200, 201, 204, 301, 400, 400, 403, 404, 409, 429, 500, 503)),
  headers: fc.oneof(fc.constant({}), HEADERS),
  body: sometimes(fc.oneof(problem, fc.constantFrom(...BODIES))),
  changes: fc.array(strangeChange, { maxLength: 3 }),
});

/** Lets a CA lie. */
export function lying(lie: Lie, origin: string): AcmeMiddleware {
  let truths = lie.after;
  const said = (text: string): string => withKeys(text).replaceAll('@CA@', origin);
  return async (call, next) => {
    const isDirectory = call.path.startsWith(DIRECTORY);
    const answer = isDirectory ? json(200, directoryAt(origin)) : await next();
    const resource = isDirectory ? 'directory' : call.resource;
    if (resource !== lie.resource || answer === DROPPED || truths-- > 0) return answer;
    const headers = Object.entries(lie.headers).map(([name, value]) => [name, said(value)]);
    const body = said(lie.body ?? changedBody(answer, lie.changes));
    const status = lie.status ?? answer.status;
    return { ...answer, status, headers: { ...answer.headers, ...Object.fromEntries(headers) }, body };
  };
}

/** Directories are remembered by their URL: with a query of its own, each is asked for anew. */
const DIRECTORY = '/directory?';
export const directoryUrl = (origin: string, query: string): string => origin + DIRECTORY + query;

const directoryAt = (origin: string): object => ({
  newNonce: `${origin}/new-nonce`,
  newAccount: `${origin}/new-account`,
  newOrder: `${origin}/new-order`,
  revokeCert: `${origin}/revoke-cert`,
  renewalInfo: `${origin}/renewal-info`,
  meta: { profiles: { classic: '90 days' } },
});

function changedBody({ body }: AcmeAnswer, changes: readonly TreeChange[]): string {
  const text = String(body);
  try {
    return JSON.stringify(changes.reduce(changeTree, JSON.parse(text) as Tree));
  } catch {
    // A certificate: text, of which the changes' places pick what is left out.
    return changes.reduce(
      (rest, { place, other }) => rest.slice(0, place % (rest.length + 1)) + rest.slice(other % (rest.length + 1)),
      text,
    );
  }
}
