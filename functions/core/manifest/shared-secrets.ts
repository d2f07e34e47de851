import type { SecretRef } from '../ports.ts';
import { error } from './finding.ts';
import { type DeclaredCertificate, type DeclaredIssuer, whereIs } from './folder.ts';
import { at } from './located.ts';
import { DEFAULT_NAMESPACE } from './metadata.ts';

const PATH = ['spec', 'secretName'];

/** Two certificates in one secret would overwrite each other for ever, and a certificate in an issuer's secret its account. */
export function findSharedSecrets(
  certificates: readonly DeclaredCertificate[],
  issuers: readonly DeclaredIssuer[],
): void {
  const first = new Map<string, DeclaredCertificate>();
  const ofIssuers = secretsOf(issuers);
  for (const certificate of certificates) {
    const { object, identity, problems } = certificate;
    const name = at(object.node, PATH)?.value;
    if (identity === undefined || typeof name !== 'string') continue;
    const place = placeOf({ namespace: identity.namespace, name });
    const owner = ofIssuers.get(place);
    if (owner !== undefined) {
      const message = `Secret \`${name}\` already belongs to an issuer, which is known to its CA by it, at ${owner}.`;
      problems.push(error('SharedSecret', PATH, message, 'Give the certificate a secret of its own.'));
    }
    const earlier = first.get(place);
    if (earlier === undefined) {
      first.set(place, certificate);
      continue;
    }
    if (earlier.identity?.name === identity.name) continue; // The same certificate twice: said already.
    const message = `Secret \`${name}\` already belongs to another certificate, at ${whereIs(earlier.object, PATH)}.`;
    problems.push(error('SharedSecret', PATH, message, 'Give each certificate a secret of its own.'));
  }
}

/** Where each secret of an issuer is named. */
const secretsOf = (issuers: readonly DeclaredIssuer[]): ReadonlyMap<string, string> =>
  new Map(
    issuers.flatMap(({ object, secrets }) =>
      secrets.map(({ ref, path }) => [placeOf(ref), whereIs(object, path)] as const),
    ),
  );

/** In the store `default` is left out of names, so that what belongs to no namespace is in the same place. */
const placeOf = ({ namespace = DEFAULT_NAMESPACE, name }: Pick<SecretRef, 'namespace' | 'name'>): string =>
  `${namespace}/${name}`;
