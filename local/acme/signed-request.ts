import type { IncomingHttpHeaders } from 'node:http';
import type * as z from 'zod/mini';
import type { Account, Accounts } from './accounts.ts';
import { type Jws, parse, parseJson, type PublicKey, readJws, readPublicKey, verify } from './jws.ts';
import type { Nonces } from './nonces.ts';
import { AcmeProblem, malformed, unauthorized } from './problems.ts';

/** What the URL of a request says. */
export interface Visit {
  /** `https://host:port`, as the client called this server. */
  readonly base: string;
  readonly url: string;
  /** The part of the path that names one thing of its kind. */
  readonly id: string;
}

/** A POST whose nonce, URL and signature were found right. */
export interface SignedRequest extends Visit {
  /** Empty: POST-as-GET (RFC 8555, section 6.3). */
  readonly payload: string;
  readonly key: PublicKey;
  /** Undefined when it names its key itself. */
  readonly account: Account | undefined;
}

export interface AccountRequest extends SignedRequest {
  readonly account: Account;
}

/** The URL of a thing, as the client of this request calls the server. */
export const urlOf = ({ base }: Visit, ...path: readonly string[]): string => [base, ...path].join('/');

export function read<T extends z.ZodMiniType>({ payload }: SignedRequest, schema: T): z.output<T> {
  return parse(schema, parseJson(payload, 'the payload'), 'the payload');
}

/** What can only be looked at: RFC 8555, section 6.3. */
export function requireRead({ payload }: SignedRequest): void {
  if (payload !== '') throw malformed('POST-as-GET has an empty payload');
}

/** The thing that a URL names, if the account may see it. */
export function owned<T extends { readonly account: Account }>(
  things: ReadonlyMap<string, T>,
  { id, account }: AccountRequest,
): T {
  const thing = things.get(id);
  if (thing === undefined) throw malformed('there is no such resource', 404);
  if (thing.account !== account) throw unauthorized('it belongs to another account');
  return thing;
}

/** RFC 8555, section 6.2 to 6.5. */
export class Gate {
  readonly #nonces: Nonces;
  readonly #accounts: Accounts;

  constructor(nonces: Nonces, accounts: Accounts) {
    this.#nonces = nonces;
    this.#accounts = accounts;
  }

  async open(visit: Visit, headers: IncomingHttpHeaders, body: string): Promise<SignedRequest> {
    const [type = ''] = (headers['content-type'] ?? '').split(';');
    if (type.trim().toLowerCase() !== 'application/jose+json') {
      throw malformed('the content type has to be application/jose+json', 415);
    }
    const jws = readJws(parseJson(body, 'the body'), 'the JWS');
    const { nonce, url } = jws.header;
    const { key, account } = await this.#signer(visit, jws);
    const payload = await verify(jws, key.key);
    if (nonce === undefined || !this.#nonces.use(nonce)) {
      throw new AcmeProblem(
        'badNonce',
        nonce === undefined ? 'the JWS has no nonce' : 'the nonce is not good (any more)',
      );
    }
    // RFC 8555, section 6.4.
    if (url !== visit.url) throw unauthorized(`the JWS is for ${url}, and came to ${visit.url}`);
    return { ...visit, payload, key, account };
  }

  async #signer(visit: Visit, { header }: Jws): Promise<Pick<SignedRequest, 'key' | 'account'>> {
    const { kid, jwk } = header;
    if (kid === undefined) return { key: await readPublicKey(jwk), account: undefined };
    const account = this.#accounts.find(visit, kid);
    if (account === undefined) throw new AcmeProblem('accountDoesNotExist', `${kid} is no account of this server`);
    if (account.status !== 'valid') throw unauthorized(`the account is ${account.status}`);
    return { key: account.key, account };
  }
}
