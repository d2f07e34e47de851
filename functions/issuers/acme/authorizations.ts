import { createHash } from 'node:crypto';
import type { CertificateSpec } from '../../core/certificate.ts';
import { PermanentError, TransientError } from '../../core/errors.ts';
import { inParallel } from '../../core/in-parallel.ts';
import type { ChallengeSolver } from '../../core/ports.ts';
import { type AcmeClient, parse } from './client.ts';
import { type Authorization, authorization } from './objects.ts';
import { inWords, problemType, readProblem, shorten } from './problems.ts';
import type { Challenge } from './ticket.ts';

/** A way to prove control over names, and its place among the issuer's. */
export interface BoundSolver {
  readonly index: number;
  /** The challenge type that it answers. */
  readonly type: string;
  readonly connect: () => Promise<ChallengeSolver>;
}

/** Finds the solver for a name as the manifest has it (`*.x` for a wildcard). */
export type ChooseSolver = (name: string, certificate: CertificateSpec) => BoundSolver | undefined;

/** Authorizations looked at side by side. */
const CONCURRENCY = 8;

/** What is still to be proved of `urls`: a challenge for each authorization that is pending. */
export async function pendingChallenges(
  client: AcmeClient,
  urls: readonly string[],
  certificate: CertificateSpec,
  choose: ChooseSolver,
): Promise<readonly Challenge[]> {
  const challenges = await inParallel(urls, CONCURRENCY, async (url): Promise<Challenge | undefined> => {
    const found = await lookAt(client, url);
    const name = nameIn(found);
    if (!certificate.dnsNames.includes(name)) throw notAsked(name);
    if (found.status === 'valid') return undefined;
    if (found.status !== 'pending') throw authorizationFailed(found);
    return prepare(client, url, found, choose(name, certificate));
  });
  return challenges.filter((challenge) => challenge !== undefined);
}

/** As the manifest has it. */
function nameIn({ identifier, wildcard }: Authorization): string {
  const name = identifier.value.toLowerCase();
  return wildcard === true ? `*.${name}` : name;
}

async function prepare(
  client: AcmeClient,
  authorizationUrl: string,
  found: Authorization,
  solver: BoundSolver | undefined,
): Promise<Challenge> {
  const { challenges } = found;
  const name = nameIn(found);
  const identifier = name.replace(/^\*\./, '');
  if (solver === undefined) throw noSolver(name);
  const { url, token } = challenges.find(({ type }) => type === solver.type) ?? {};
  if (url === undefined || token === undefined) {
    const offered = shorten(challenges.map(({ type }) => type).join(', ')) || 'none';
    throw new PermanentError(
      'ChallengeNotOffered',
      `the CA does not take ${solver.type} for ${name}, which the issuer has a solver for; it offers: ${offered}`,
    );
  }
  const keyAuthorization = client.keyAuthorization(safeToken(token), sha256);
  const placement = await (await solver.connect()).locate({ identifier, keyAuthorization });
  return { authorization: authorizationUrl, url, identifier: name, solver: solver.index, placement };
}

/** RFC 8555 §8.1: at least 128 bits, base64url. Anything else is no token, and may be meant for whoever serves it. */
function safeToken(token: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(token)) return token;
  throw new TransientError('CaAnswerUnreadable', 'the CA gave a challenge a token that is not base64url', {
    endsAttempt: true,
  });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Tells the CA that it may look (RFC 8555 §7.5.1). One that it has looked at already is no failure. */
export async function acceptChallenges(client: AcmeClient, challenges: readonly Challenge[]): Promise<void> {
  await inParallel(challenges, CONCURRENCY, async ({ url }) => {
    try {
      await client.post(url, {}, 'answering a challenge');
    } catch (error) {
      // Told before, by a worker that did not live to note it: the order says how that went.
      if (problemType(error) !== 'malformed') throw error;
    }
  });
}

/** Why an order failed: what the CA says of the names in it. Undefined when nothing is wrong with them. */
export async function findFailure(client: AcmeClient, urls: readonly string[]): Promise<TransientError | undefined> {
  const found = await inParallel(urls, CONCURRENCY, (url) => lookAt(client, url));
  const failed = found.find(({ status }) => status !== 'valid' && status !== 'pending');
  return failed === undefined ? undefined : authorizationFailed(failed);
}

/** Gives back what nobody will prove any more: CAs count what is pending. Refusals mean that there is nothing to give back. */
export async function deactivateAuthorizations(client: AcmeClient, urls: readonly string[]): Promise<void> {
  await inParallel(urls, CONCURRENCY, async (url) => {
    const { status } = await lookAt(client, url);
    if (status === 'pending') await client.post(url, { status: 'deactivated' }, 'deactivating an authorization');
  });
}

async function lookAt(client: AcmeClient, url: string): Promise<Authorization> {
  const { body } = await client.post(url, null, 'looking at an authorization');
  return parse(authorization, body, 'an authorization');
}

/** A name that could not be validated today may be tomorrow: DNS takes time, and mistakes in it are mended. */
function authorizationFailed({ status, identifier, challenges }: Authorization): TransientError {
  const { error, type } = challenges.find((challenge) => challenge.error !== undefined) ?? {};
  const why =
    error === undefined ? 'the CA does not say why' : `${shorten(type ?? '')}: ${inWords(readProblem(error))}`;
  const message = `the authorization for ${shorten(identifier.value)} is ${status}: ${why}`;
  return new TransientError('ValidationFailed', message, { endsAttempt: true });
}

/** No record is made for a name that is the CA's idea. */
const notAsked = (name: string): TransientError =>
  new TransientError(
    'CaAnswerUnreadable',
    `the CA wants a proof for ${JSON.stringify(shorten(name))}, which is not in the order`,
    { endsAttempt: true },
  );

const noSolver = (name: string): PermanentError =>
  new PermanentError('NoSolver', `the issuer has no solver for ${name}, and the CA wants a proof of control over it`);
