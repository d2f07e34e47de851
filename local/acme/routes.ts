import type { Accounts } from './accounts.ts';
import type { Authorizations } from './authorizations.ts';
import type { Certificates } from './certificates.ts';
import { type AcmeAnswer, json, type Resource } from './exchange.ts';
import type { Orders } from './orders.ts';
import { malformed } from './problems.ts';
import { renewalInfo } from './renewal-info.ts';
import { revoke } from './revocation.ts';
import type { AcmeProfile, AcmeSettings } from './settings.ts';
import { type AccountRequest, type SignedRequest, urlOf, type Visit } from './signed-request.ts';

type Answered = AcmeAnswer | Promise<AcmeAnswer>;

export interface Route {
  readonly resource: Resource;
  /** Its group is what the URL names. */
  readonly path: RegExp;
  /** Without a signature. */
  readonly get?: (visit: Visit) => AcmeAnswer;
  /** Signed by an account. */
  readonly post?: (request: AccountRequest) => Answered;
  /** Signed by a key that the JWS itself holds. */
  readonly postByKey?: (request: SignedRequest) => Answered;
}

export interface Parts {
  readonly accounts: Accounts;
  readonly orders: Orders;
  readonly authorizations: Authorizations;
  readonly certificates: Certificates;
  readonly settings: AcmeSettings;
  readonly clock: { now(): number };
  readonly profiles: Readonly<Record<string, AcmeProfile>>;
  readonly requiresExternalAccount: boolean;
  readonly directoryPath: string;
}

const ID = '([\\w-]+)';
const escaped = (path: string): string => path.replaceAll(/[^\w/-]/g, String.raw`\$&`);
const at = (path: string): RegExp => new RegExp(`^/${path}$`);

export function routesTo(parts: Parts): readonly Route[] {
  const { accounts, orders, authorizations, certificates, settings, clock, directoryPath } = parts;
  const directory = (visit: Visit): AcmeAnswer => json(200, directoryOf(visit, parts));
  const newNonce = (): AcmeAnswer => ({ status: 204, headers: { 'cache-control': 'no-store' }, body: '' });
  const revokeCert = (request: SignedRequest): AcmeAnswer => revoke(request, certificates, authorizations);
  return [
    { resource: 'directory', path: at(escaped(directoryPath).slice(1)), get: directory, post: directory },
    { resource: 'newNonce', path: at('new-nonce'), get: newNonce, post: newNonce },
    { resource: 'newAccount', path: at('new-account'), postByKey: (request) => accounts.create(request) },
    { resource: 'account', path: at(`account/${ID}`), post: (request) => accounts.update(request) },
    { resource: 'orders', path: at(`account/${ID}/orders`), post: (request) => orders.list(request) },
    { resource: 'keyChange', path: at('key-change'), post: (request) => accounts.changeKey(request) },
    { resource: 'newOrder', path: at('new-order'), post: (request) => orders.create(request) },
    { resource: 'order', path: at(`order/${ID}`), post: (request) => orders.answer(request) },
    { resource: 'finalize', path: at(`order/${ID}/finalize`), post: (request) => orders.finalize(request) },
    { resource: 'authorization', path: at(`authorization/${ID}`), post: (request) => authorizations.answer(request) },
    { resource: 'challenge', path: at(`challenge/${ID}`), post: (request) => authorizations.answerChallenge(request) },
    {
      resource: 'certificate',
      path: at(String.raw`certificate/([\w-]+(?:/\d)?)`),
      post: (request) => certificates.download(request),
    },
    { resource: 'revokeCert', path: at('revoke-cert'), post: revokeCert, postByKey: revokeCert },
    {
      resource: 'renewalInfo',
      path: at('renewal-info/([^/]+)'),
      get: ({ id }) => renewalInfo(id, certificates, settings, clock.now()),
    },
  ];
}

/** The methods that a route answers to, as Allow has them. */
export const methodsOf = ({ get, post, postByKey }: Route): string[] => [
  ...(get === undefined ? [] : ['GET', 'HEAD']),
  ...(post === undefined && postByKey === undefined ? [] : ['POST']),
];

/** RFC 8555, section 6.2: which requests name a key, and which an account. */
export async function answerSigned({ post, postByKey }: Route, request: SignedRequest): Promise<AcmeAnswer> {
  const { account } = request;
  if (account === undefined) {
    if (postByKey === undefined) throw malformed('the JWS has to have a kid, not a jwk');
    return await postByKey(request);
  }
  if (post === undefined) throw malformed('the JWS has to have a jwk, not a kid');
  return await post({ ...request, account });
}

/** RFC 8555, section 7.1.1. */
function directoryOf(visit: Visit, { profiles, requiresExternalAccount }: Parts): Record<string, unknown> {
  const described = Object.entries(profiles).map(([name, { description = name }]) => [name, description]);
  return {
    newNonce: urlOf(visit, 'new-nonce'),
    newAccount: urlOf(visit, 'new-account'),
    newOrder: urlOf(visit, 'new-order'),
    revokeCert: urlOf(visit, 'revoke-cert'),
    keyChange: urlOf(visit, 'key-change'),
    renewalInfo: urlOf(visit, 'renewal-info'),
    meta: {
      termsOfService: urlOf(visit, 'terms'),
      ...(requiresExternalAccount ? { externalAccountRequired: true } : {}),
      ...(described.length === 0 ? {} : { profiles: Object.fromEntries(described) }),
    },
  };
}
