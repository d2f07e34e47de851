import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, flattenedVerify, type JWK } from 'jose';
import * as z from 'zod/mini';
import { AcmeProblem, malformed } from './problems.ts';

const SIGNATURES = ['ES256', 'ES384', 'ES512', 'RS256'];
const SHORTEST_MODULUS = 2_048;

/** Without padding, and nothing but its own letters (RFC 8555, section 6.1). */
export const base64url = z.string().check(z.regex(/^[A-Za-z0-9_-]*$/, 'is not base64url without padding'));

/** RFC 8555, section 6.2: flattened, with one signature and no unprotected header. */
const flattened = z.strictObject({ protected: base64url, payload: base64url, signature: base64url });

/** Members beyond these are ignored: should it hold a private key, nobody looks at it. */
export const publicJwk = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384', 'P-521']), x: base64url, y: base64url }),
  z.object({ kty: z.literal('RSA'), n: base64url, e: base64url }),
]);

const header = z.object({
  alg: z.string(),
  url: z.string(),
  nonce: z.optional(z.string()),
  jwk: z.optional(z.unknown()),
  kid: z.optional(z.string()),
});

export interface Jws {
  readonly flattened: z.output<typeof flattened>;
  readonly header: z.output<typeof header>;
}

export interface PublicKey {
  readonly key: KeyObject;
  readonly jwk: JWK;
  /** RFC 7638. */
  readonly thumbprint: string;
}

/** Parses what a client sent; a value that is not as it should be is malformed. */
export function parse<T extends z.ZodMiniType>(schema: T, value: unknown, what: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw malformed(`${what}: ${z.prettifyError(result.error)}`);
}

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(`${what} is not JSON`);
  }
}

export function readJws(value: unknown, what: string): Jws {
  const jws = parse(flattened, value, what);
  const text = Buffer.from(jws.protected, 'base64url').toString();
  const head = parse(header, parseJson(text, `the protected header of ${what}`), `the protected header of ${what}`);
  if ((head.jwk === undefined) === (head.kid === undefined)) {
    throw malformed(`the protected header of ${what} has to have one of jwk and kid, and only one`);
  }
  return { flattened: jws, header: head };
}

/** A key that accounts may have. */
export async function readPublicKey(value: unknown): Promise<PublicKey> {
  const jwk = publicJwk.safeParse(value);
  if (!jwk.success) throw badPublicKey(z.prettifyError(jwk.error));
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk.data, format: 'jwk' });
  } catch {
    throw badPublicKey('it is on no curve and no RSA key');
  }
  const length = key.asymmetricKeyDetails?.modulusLength ?? SHORTEST_MODULUS;
  if (length < SHORTEST_MODULUS) throw badPublicKey(`an RSA key of ${length} bits is too short`);
  return { key, jwk: jwk.data, thumbprint: await calculateJwkThumbprint(jwk.data) };
}

/** The payload, when the signature over it is right. */
export async function verify(
  { flattened: jws, header: { alg } }: Jws,
  key: KeyObject | Uint8Array,
  algorithms: readonly string[] = SIGNATURES,
): Promise<string> {
  if (!algorithms.includes(alg)) {
    throw new AcmeProblem('badSignatureAlgorithm', `the algorithm ${alg} is not one of ${algorithms.join(', ')}`, {
      members: { algorithms },
    });
  }
  try {
    const { payload } = await flattenedVerify(jws, key, { algorithms: [...algorithms] });
    return Buffer.from(payload).toString();
  } catch {
    throw malformed('the signature of the JWS is not right for its key and algorithm');
  }
}

const badPublicKey = (why: string): AcmeProblem => new AcmeProblem('badPublicKey', `the key cannot be used: ${why}`);
