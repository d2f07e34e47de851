import { PermanentError } from '../../core/errors.ts';
import type { AcmeOptions } from './options.ts';

/**
 * The URLs that an issuer may be led to: over TLS, at its directory's host and port, or at one that the issuer lists. Whatever
 * else a CA's answer names (an address inside of the account, say) is not visited.
 */
export function allowedUrls({ server, hosts }: Pick<AcmeOptions, 'server' | 'hosts'>): (url: string) => URL {
  const allowed = new Set([new URL(server).host, ...hosts.map((host) => new URL(`https://${host}`).host)]);
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isPlain = url?.protocol === 'https:' && url.username === '' && url.password === '';
    if (url !== undefined && isPlain && allowed.has(url.host)) return url;
    throw new PermanentError(
      'CaUrlForbidden',
      `the CA names the URL ${JSON.stringify(text.slice(0, 200))}, which is not at ${[...allowed].join(' or ')}; if that is right, ` +
        `list its host in the issuer's annotation everleaf.dev/acme-hosts`,
    );
  };
}
