/** RFC 8555, section 6.7; RFC 9773, section 7.4; draft-ietf-acme-profiles, section 6. */
export type ProblemType =
  | 'accountDoesNotExist'
  | 'alreadyReplaced'
  | 'alreadyRevoked'
  | 'badCSR'
  | 'badNonce'
  | 'badPublicKey'
  | 'badRevocationReason'
  | 'badSignatureAlgorithm'
  | 'connection'
  | 'dns'
  | 'externalAccountRequired'
  | 'incorrectResponse'
  | 'invalidContact'
  | 'invalidProfile'
  | 'malformed'
  | 'orderNotReady'
  | 'rateLimited'
  | 'rejectedIdentifier'
  | 'serverInternal'
  | 'unauthorized'
  | 'unsupportedContact'
  | 'unsupportedIdentifier';

/** As Boulder answers; 400 for all others. */
const STATUSES: Partial<Record<ProblemType, number>> = {
  alreadyReplaced: 409,
  externalAccountRequired: 403,
  incorrectResponse: 403,
  orderNotReady: 403,
  rateLimited: 429,
  serverInternal: 500,
  unauthorized: 403,
};

interface Particulars {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document: `algorithms`, `subproblems`, `identifier`. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** Why a request is refused or a challenge failed: a problem document (RFC 7807). */
export class AcmeProblem extends Error {
  readonly type: ProblemType;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(type: ProblemType, detail: string, { status, headers, members }: Particulars = {}) {
    super(detail);
    this.type = type;
    this.status = status ?? STATUSES[type] ?? 400;
    this.headers = headers ?? {};
    this.#members = members ?? {};
  }

  toJSON(): Record<string, unknown> {
    const { type, message, status } = this;
    return { type: `urn:ietf:params:acme:error:${type}`, detail: message, status, ...this.#members };
  }
}

export const malformed = (detail: string, status = 400): AcmeProblem =>
  new AcmeProblem('malformed', detail, { status });

export const unauthorized = (detail: string): AcmeProblem => new AcmeProblem('unauthorized', detail);

/** One problem for the order, with one for each identifier in it (RFC 8555, section 6.7.1). */
export function rejected(
  identifiers: readonly { readonly value: string; readonly type: ProblemType; readonly detail: string }[],
): AcmeProblem | undefined {
  const [first] = identifiers;
  if (first === undefined) return undefined;
  const subproblems = identifiers.map(({ value, type, detail }) => ({
    ...new AcmeProblem(type, detail).toJSON(),
    identifier: { type: 'dns', value },
  }));
  const detail = identifiers.map((each) => each.detail).join('; ');
  return new AcmeProblem(first.type, detail, { members: { subproblems } });
}
