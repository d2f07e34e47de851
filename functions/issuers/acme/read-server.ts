import { atKey, error, type Path, type Problem } from '../../core/manifest/finding.ts';
import { reading, type Reading } from '../../core/manifest/reading.ts';
import { showValue } from '../../core/manifest/show-value.ts';
import { hostOf, isNeverCa } from '../../network/addresses.ts';

const PATH: Path = ['spec', 'acme', 'server'];
const EXAMPLE = 'Write the URL of its directory, as in `https://acme-v02.api.letsencrypt.org/directory`.';

/** The directory's URL as it is called, in its one spelling: accounts are kept by it. */
export function readServer(server: string): Reading<string> {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined) return reading('', [error('InvalidUrl', PATH, `${showValue(server)} is not a URL.`, EXAMPLE)]);
  return reading(url.href, [...schemeProblems(url), ...partProblems(url), ...hostProblems(url)]);
}

function schemeProblems({ protocol }: URL): Problem[] {
  if (protocol === 'https:') return [];
  if (protocol === 'http:') {
    const message = 'The CA would be called without TLS: whoever is on the way could answer in its place.';
    const remedy = 'Write `https://…`. Where its certificate is from a CA of your own, put that one into `caBundle`.';
    return [error('InsecureUrl', PATH, message, remedy)];
  }
  return [error('InvalidUrl', PATH, `A CA is not reached by \`${protocol.slice(0, -1)}\`.`, EXAMPLE)];
}

function partProblems({ username, password, hash }: URL): Problem[] {
  const credentials = atKey(
    error(
      'CredentialsInUrl',
      PATH,
      'The URL holds a user name or a password, and everybody who reads the manifest reads it.',
      'Remove it and replace the password: accounts are told by `privateKeySecretRef` and `externalAccountBinding`.',
    ),
  );
  const fragment = error('InvalidUrl', PATH, 'What follows `#` never reaches a CA.', 'Remove it.');
  return [...(username + password === '' ? [] : [credentials]), ...(hash === '' ? [] : [fragment])];
}

function hostProblems(url: URL): Problem[] {
  if (!isNeverCa(hostOf(url))) return [];
  const message = `No CA is at \`${url.hostname}\`: instances and containers get their credentials from addresses like it.`;
  return [error('ForbiddenHost', PATH, message, "Write the CA's own host name.")];
}
