import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { type AcmeAnswer, json } from './exchange.ts';
import { type PublicKey, parse, parseJson, publicJwk, readJws, readPublicKey, verify } from './jws.ts';
import { AcmeProblem, malformed, unauthorized } from './problems.ts';
import { type AccountRequest, read, type SignedRequest, urlOf, type Visit } from './signed-request.ts';

export interface Account {
  readonly id: string;
  key: PublicKey;
  status: 'valid' | 'deactivated';
  contact: readonly string[];
  readonly externalAccountBinding?: unknown;
}

const MOST_CONTACTS = 10;
const contact = z.optional(z.array(z.string()).check(z.maxLength(MOST_CONTACTS)));

const newAccount = z.object({
  contact,
  termsOfServiceAgreed: z.optional(z.boolean()),
  onlyReturnExisting: z.optional(z.boolean()),
  externalAccountBinding: z.optional(z.unknown()),
});
const update = z.object({ contact, status: z.optional(z.literal('deactivated')) });
const keyChange = z.object({ account: z.string(), oldKey: publicJwk });

/** RFC 8555, section 7.3. */
export class Accounts {
  readonly #byId = new Map<string, Account>();
  readonly #byKey = new Map<string, Account>();
  readonly #externalAccounts: Readonly<Record<string, string>> | undefined;

  constructor(externalAccounts: Readonly<Record<string, string>> | undefined) {
    this.#externalAccounts = externalAccounts;
  }

  find({ base }: Visit, url: string): Account | undefined {
    const start = `${base}/account/`;
    return url.startsWith(start) ? this.#byId.get(url.slice(start.length)) : undefined;
  }

  async create(request: SignedRequest): Promise<AcmeAnswer> {
    const wish = read(request, newAccount);
    const { thumbprint } = request.key;
    const existing = this.#byKey.get(thumbprint);
    if (existing?.status === 'deactivated') throw unauthorized('the account of this key is deactivated');
    if (existing !== undefined) return this.#show(request, existing);
    if (wish.onlyReturnExisting === true) {
      throw new AcmeProblem('accountDoesNotExist', 'there is no account with this key');
    }
    if (wish.termsOfServiceAgreed !== true) throw malformed('the terms of service have to be agreed to');
    const binding = await this.#bind(request, wish.externalAccountBinding);
    // Somebody may have been faster while the binding was verified.
    if (this.#byKey.has(thumbprint)) return await this.create(request);
    const account: Account = {
      id: randomBytes(9).toString('base64url'),
      key: request.key,
      status: 'valid',
      contact: checked(wish.contact ?? []),
      ...binding,
    };
    this.#byId.set(account.id, account);
    this.#byKey.set(thumbprint, account);
    return this.#show(request, account, 201);
  }

  /** Sections 7.3.2 and 7.3.6. */
  update(request: AccountRequest): AcmeAnswer {
    const { account } = request;
    if (request.id !== account.id) throw unauthorized('it is another account');
    const wish = request.payload === '' ? {} : read(request, update);
    if (wish.contact !== undefined) account.contact = checked(wish.contact);
    if (wish.status !== undefined) account.status = wish.status;
    return this.#show(request, account);
  }

  /** Section 7.3.5. */
  async changeKey(request: AccountRequest): Promise<AcmeAnswer> {
    const { account } = request;
    const inner = readJws(parseJson(request.payload, 'the payload'), 'the inner JWS');
    if (inner.header.jwk === undefined) throw malformed('the inner JWS has to have a jwk');
    if (inner.header.nonce !== undefined) throw malformed('the inner JWS has to have no nonce');
    if (inner.header.url !== request.url) throw malformed('the inner JWS has to have the url of the outer one');
    const key = await readPublicKey(inner.header.jwk);
    const text = await verify(inner, key.key);
    const wish = parse(keyChange, parseJson(text, 'the inner payload'), 'the inner payload');
    if (wish.account !== urlOf(request, 'account', account.id)) throw malformed('the inner JWS names another account');
    const old = await readPublicKey(wish.oldKey);
    if (old.thumbprint !== account.key.thumbprint) throw malformed('oldKey is not the key of the account');
    const other = this.#byKey.get(key.thumbprint);
    if (other !== undefined) {
      const headers = { location: urlOf(request, 'account', other.id) };
      throw new AcmeProblem('malformed', 'an account has the new key already', { status: 409, headers });
    }
    this.#byKey.delete(account.key.thumbprint);
    this.#byKey.set(key.thumbprint, account);
    account.key = key;
    return this.#show(request, account);
  }

  /** Section 7.3.4. */
  async #bind({ url, key }: SignedRequest, binding: unknown): Promise<{ externalAccountBinding?: unknown }> {
    if (this.#externalAccounts === undefined) return {};
    if (binding === undefined) {
      throw new AcmeProblem('externalAccountRequired', 'newAccount has to have an externalAccountBinding');
    }
    const { header, ...jws } = readJws(binding, 'the external account binding');
    const { kid = '', nonce } = header;
    const secret = Object.hasOwn(this.#externalAccounts, kid) ? this.#externalAccounts[kid] : undefined;
    if (secret === undefined) throw unauthorized('there is no external account with this kid');
    if (nonce !== undefined) throw malformed('the external account binding has to have no nonce');
    if (header.url !== url) throw malformed('the external account binding has to have the url of the outer JWS');
    const payload = await verify({ header, ...jws }, Buffer.from(secret, 'base64url'), [
      'HS256',
      'HS384',
      'HS512',
    ]).catch((error: unknown) => {
      throw error instanceof AcmeProblem && error.type === 'malformed'
        ? unauthorized('the external account binding was not made with the key of its kid')
        : error;
    });
    const bound = await readPublicKey(parseJson(payload, 'the payload of the external account binding'));
    if (bound.thumbprint !== key.thumbprint) throw malformed('the external account is bound to another key');
    return { externalAccountBinding: binding };
  }

  #show(request: Visit, account: Account, status = 200): AcmeAnswer {
    const url = urlOf(request, 'account', account.id);
    const { status: state, contact: contacts, externalAccountBinding } = account;
    const shown = { status: state, contact: contacts, termsOfServiceAgreed: true, externalAccountBinding };
    return json(status, { ...shown, orders: `${url}/orders` }, { location: url });
  }
}

/** One address each, without `hfields` (RFC 8555, section 7.3). */
function checked(contacts: readonly string[]): readonly string[] {
  for (const each of contacts) {
    if (!/^mailto:/i.test(each)) throw new AcmeProblem('unsupportedContact', `${each} is not a mailto: URL`);
    if (!/^mailto:[^@\s,?]+@[^@\s,?]+\.[^@\s,?]+$/i.test(each)) {
      throw new AcmeProblem('invalidContact', `${each} is not one e-mail address`);
    }
  }
  return contacts;
}
