import { resolveCname } from 'node:dns/promises';
import { PermanentError, TransientError } from '../../core/errors.ts';

/** Longer chains are mistakes; resolvers give up on them as well. */
const LONGEST_CHAIN = 8;

/** The resolver says that there is no CNAME here: the name is where the record goes. */
const NONE = new Set(['ENODATA', 'ENOTFOUND']);

/** Where the CNAMEs at `name` lead: how a zone is written to that nobody may write to (RFC 8555 §8.4 leaves that to DNS). */
export async function followCnames(name: string): Promise<string> {
  const seen = [name];
  for (;;) {
    const at = seen.at(-1) ?? name;
    const target = await cnameAt(at);
    if (target === undefined) return at;
    if (seen.includes(target)) throw loop([...seen, target]);
    seen.push(target);
    if (seen.length > LONGEST_CHAIN) throw loop(seen);
  }
}

async function cnameAt(name: string): Promise<string | undefined> {
  try {
    const [target] = await resolveCname(name);
    return target?.toLowerCase().replace(/\.$/, '');
  } catch (error) {
    const { code = '' } = error as { readonly code?: string };
    if (NONE.has(code)) return undefined;
    throw new TransientError('DnsUnreachable', `looking for a CNAME at ${name}: ${code || String(error)}`, {
      cause: error,
    });
  }
}

const loop = (names: readonly string[]): PermanentError =>
  new PermanentError(
    'CnameLoop',
    `the CNAMEs from ${names[0]} lead nowhere: ${names.join(' → ')}; correct them, or write cnameStrategy: None`,
  );
