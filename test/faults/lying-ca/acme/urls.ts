import { type AcmeCell, blocked, HEALED, waits } from '../cell.ts';
import { cell, GOOD_DAY_REQUESTS, RENEWAL } from './cell.ts';
import { type Lie, meddle, type Resource, rewriting, withHeader } from './meddle.ts';

/** Where no CA is: the trap on loopback, a link-local address, and AWS's metadata. */
export const FORBIDDEN_URLS: Readonly<Record<string, (trapPort: number) => string>> = {
  'a URL to loopback': (trapPort) => `https://127.0.0.1:${trapPort}/here`,
  'a URL to a link-local address': () => 'https://169.254.1.1/here',
  'a URL to metadata': () => 'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
};

type Body = Readonly<Record<string, unknown>>;

/** Puts a URL into each place of an answer that a client may follow. */
const PLACES = {
  directory: (body: Body, url: string) => ({ ...body, newNonce: url, newAccount: url, newOrder: url }),
  newOrder: (body: Body, url: string) => ({ ...body, authorizations: [url], finalize: url }),
  authorization: (body: Body, url: string) => ({
    ...body,
    challenges: (body['challenges'] as object[]).map((challenge) => ({ ...challenge, url })),
  }),
  order: (body: Body, url: string) => ({ ...body, ...('certificate' in body ? { certificate: url } : {}) }),
  finalize: (body: Body, url: string) => ({ ...body, status: 'valid', certificate: url }),
  renewalInfo: (body: Body, url: string) => ({ ...body, explanationURL: url }),
} as const satisfies Partial<Record<Resource, unknown>>;

const NOT_FOLLOWED = blocked(
  'CaUrlForbidden',
  /^the CA names the URL ".*", which is not at 127\.0\.0\.1:\d+; if that is right, list its host/,
);

const cellsFor = (fault: string, url: (trapPort: number) => string): readonly AcmeCell[] => {
  const leading =
    (resource: keyof typeof PLACES): Lie =>
    (ca, scene) =>
      rewriting(resource, ({ headers, body }) => ({ headers, body: PLACES[resource](body, url(scene.trapPort)) }))(
        ca,
        scene,
      );
  const none = { issuances: 0 };
  return [
    cell('directory', fault, NOT_FOLLOWED, { requests: 1, ...none }, leading('directory')),
    // Nothing is ever sent to where an account is: it is a name, and one that the CA does not know.
    cell('newAccount', fault, waits('AcmeAccountDoesNotExist'), { requests: 13, ...none }, (ca, { trapPort }) =>
      meddle(ca, 'newAccount', Infinity, async (next) => withHeader(await next(), 'location', url(trapPort))),
    ),
    cell('newOrder', fault, NOT_FOLLOWED, { requests: 4, ...none }, leading('newOrder')),
    cell('authorization', fault, NOT_FOLLOWED, { requests: 7, ...none }, leading('authorization')),
    cell('order', fault, NOT_FOLLOWED, { requests: 12 }, leading('order')),
    cell('finalize', fault, NOT_FOLLOWED, { requests: 12 }, leading('finalize')),
    cell('certificate', fault, HEALED, { requests: GOOD_DAY_REQUESTS }, (ca, { trapPort }) =>
      alternates(ca, () => [url(trapPort)]),
    ),
    // A page for people: it is noted, and never opened.
    cell('renewalInfo', fault, HEALED, { requests: GOOD_DAY_REQUESTS, begins: RENEWAL }, leading('renewalInfo')),
  ];
};

/** The issuer prefers a chain that no CA has, so that every alternate is worth a look. */
function alternates(ca: Parameters<Lie>[0], urls: (own: string) => readonly string[]): () => void {
  ca.options = { preferredChain: 'A root that nobody has' };
  return meddle(ca, 'certificate', Infinity, async (next, { path }) => {
    const links = urls(`https://${ca.ownHost}${path}`).map((url) => `<${url}>;rel="alternate"`);
    return withHeader(await next(), 'link', links.join(', '));
  });
}

const numbered =
  (count: number): Lie =>
  (ca) =>
    alternates(ca, (own) => Array.from({ length: count }, (_, index) => `${own}?${index}`));

export const acmeUrlCells: readonly AcmeCell[] = [
  ...Object.entries(FORBIDDEN_URLS).flatMap(([fault, url]) => cellsFor(fault, url)),
  cell('certificate', 'endless alternates', HEALED, { requests: GOOD_DAY_REQUESTS }, numbered(100)),
  // Sixteen kilobytes of headers are what Node takes.
  cell('certificate', 'more alternates than headers hold', waits('CaUnreachable'), { requests: 22 }, numbered(1_000)),
];
