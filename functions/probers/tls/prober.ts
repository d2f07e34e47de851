import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { redactPrivateKeys } from '../../core/errors.ts';
import { inParallel } from '../../core/in-parallel.ts';
import type { Endpoint, ProbeResult, Prober } from '../../core/rollout/ports.ts';
import { SECOND_MS } from '../../core/time.ts';
import { isLoopback, isNeverReached } from '../../network/addresses.ts';
import { handshake } from './handshake.ts';
import { type Judgement, judge } from './judge.ts';
import { readPublicRoots } from './public-roots.ts';

/** From the first packet to the end of the handshake, STARTTLS included. */
const TIMEOUT_MS = 10 * SECOND_MS;

/** A name with more is nobody's endpoint. */
const MOST_ADDRESSES = 64;
const AT_A_TIME = 32;
const MOST_CHARACTERS = 400;

/** The addresses behind a name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** A and AAAA, as the platform answers them. */
const resolveAll: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * Asks endpoints over TLS what they serve: every address, each by a connection of its own. `limit` is asked once a
 * connection. What an endpoint does, however strange, is a result.
 */
export function tlsProber(
  resolve: Resolve = resolveAll,
  limit = (): AbortSignal => AbortSignal.timeout(TIMEOUT_MS),
): Prober {
  let roots: ReturnType<typeof readPublicRoots> | undefined;
  const publicRoots = (): ReturnType<typeof readPublicRoots> => (roots ??= readPublicRoots());
  return {
    probe: async (endpoint, expectation) => {
      const found = await addressesOf(endpoint, resolve, limit());
      if (typeof found === 'string') return [result(endpoint, endpoint.host, 'unreachable', found)];
      const asked = await inParallel(found, AT_A_TIME, (address) =>
        ask(address, endpoint, (shown) => judge(shown, endpoint, expectation, publicRoots), limit()),
      );
      return withoutUnroutable(asked);
    },
  };
}

/** What a name leads to now, each once; or why there is nothing. */
async function addressesOf(
  { host }: Endpoint,
  resolve: Resolve,
  limit: AbortSignal,
): Promise<readonly string[] | string> {
  if (isIP(host) !== 0) return [host];
  let found: readonly string[];
  try {
    found = [...new Set(await inTime(resolve(host), limit))];
  } catch (error) {
    return `no address of ${host} could be found: ${wordsOf(error)}`;
  }
  if (found.length === 0) return `${host} has no address`;
  return found.length > MOST_ADDRESSES ? `${host} has ${found.length} addresses, more than ${MOST_ADDRESSES}` : found;
}

/** A lookup cannot be ended, but left to itself. */
function inTime<T>(work: Promise<T>, limit: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(new Error('no answer in time'));
    if (limit.aborted) end();
    limit.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => limit.removeEventListener('abort', end));
  });
}

async function ask(
  address: string,
  endpoint: Endpoint,
  judged: (certificates: readonly string[]) => Judgement,
  limit: AbortSignal,
): Promise<Answered> {
  const refusal = whyRefused(address, endpoint);
  if (refusal !== undefined) return result(endpoint, address, 'refused', refusal);
  try {
    const { certificates, protocol } = await handshake(address, endpoint, limit);
    const { verdict, sha256Fingerprint, detail } = judged(certificates);
    return { ...result(endpoint, address, verdict, detail), sha256Fingerprint, servedBy: protocol };
  } catch (error) {
    const isUnroutable = UNROUTABLE.has(codeOf(error));
    return { ...result(endpoint, address, 'unreachable', wordsOf(error)), ...(isUnroutable ? { isUnroutable } : {}) };
  }
}

function whyRefused(address: string, { allowLoopback = false }: Endpoint): string | undefined {
  if (isNeverReached(address))
    return 'no connection ever goes to link-local, metadata, multicast or unspecified addresses';
  if (!isLoopback(address) || allowLoopback) return undefined;
  return 'it is an address of this very machine; if that is meant, say `allowLoopback: true` for the endpoint';
}

type Answered = ProbeResult & { readonly isUnroutable?: true };

/** Failures before a packet left: this machine has no way to addresses of that kind. */
const UNROUTABLE: ReadonlySet<string> = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/**
 * A function outside of a dual-stack network has no way to IPv6 addresses. Where the other family was asked they are left
 * out, and the results say so; where nothing else is there, that is the result.
 */
function withoutUnroutable(answered: readonly Answered[]): readonly ProbeResult[] {
  const skipped = answered.filter(({ isUnroutable }) => isUnroutable === true);
  const asked = answered.filter(({ isUnroutable }) => isUnroutable !== true);
  const plain = (asked.length === 0 ? skipped : asked).map(({ isUnroutable: _flag, ...each }) => each);
  if (asked.length === 0 || skipped.length === 0) return plain;
  const note = `not asked, for want of a route: ${skipped.map(({ address }) => address).join(', ')}`;
  return plain.map((each) => ({ ...each, detail: clip(`${each.detail} (${note})`) }));
}

const result = (endpoint: Endpoint, address: string, verdict: ProbeResult['verdict'], detail: string): ProbeResult => ({
  endpoint,
  address,
  verdict,
  detail: clip(detail),
});

const codeOf = (error: unknown): string => (error as { readonly code?: string }).code ?? '';

/** OpenSSL's own words are `error:0A000458:SSL routines::tlsv1 unrecognized name:…`. */
function wordsOf(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const reason = /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  return reason === undefined ? message : `TLS failed: ${reason}`;
}

/** Others' words, fit for a log: one line, no control characters, not endless. */
function clip(text: string): string {
  const clean = redactPrivateKeys(text).replace(/\p{Cc}+/gu, ' ');
  return (clean.length <= MOST_CHARACTERS ? clean : `${clean.slice(0, MOST_CHARACTERS - 1)}…`).toWellFormed();
}
