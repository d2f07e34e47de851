import { error, isError, type Path, type Problem } from '../../core/manifest/finding.ts';
import { annotationProblems } from '../../core/manifest/our-annotations.ts';
import { shape } from '../../core/manifest/shape.ts';
import type {
  ChallengePlugin,
  IssuerDocument,
  IssuerDocumentKind,
  IssuerSecret,
  ParsedOptions,
} from '../../core/ports.ts';
import type { AcmeOptions } from './options.ts';
import { readAccount } from './read-account.ts';
import { ACME_HOSTS, readHosts, readTrustAnchors, TRUST_ANCHORS } from './read-annotations.ts';
import { readCaBundle } from './read-ca-bundle.ts';
import { readServer } from './read-server.ts';
import { readSolvers } from './read-solvers.ts';
import { ACME_EXAMPLES, type AcmeFields, acmeSpec } from './shape.ts';

/** cert-manager's own issuers, those with `acme` in them. */
export const documents: readonly IssuerDocumentKind[] = [
  { group: 'cert-manager.io', version: 'v1', kind: 'Issuer', scope: 'Namespaced', field: 'acme' },
  { group: 'cert-manager.io', version: 'v1', kind: 'ClusterIssuer', scope: 'Cluster', field: 'acme' },
];

const ACME: Path = ['spec', 'acme'];

/** Parses an issuer document, cert-manager's defaults filled in. */
export function parseAcme(
  document: IssuerDocument,
  challenges: readonly ChallengePlugin<unknown>[],
): ParsedOptions<AcmeOptions> {
  const { output, problems } = shape(acmeSpec, document.spec, { under: ['spec'], examples: ACME_EXAMPLES });
  if (output === undefined) return { ok: false, objections: problems };
  const fields = output.acme;
  const server = readServer(fields.server);
  const account = readAccount(fields, document.namespace);
  const caBundle = readCaBundle(fields);
  const solvers = readSolvers(fields, challenges);
  const trustAnchors = readTrustAnchors(document);
  const hosts = readHosts(document);
  const said: Problem[] = [
    ...problems,
    ...[server, account, caBundle, trustAnchors, hosts].flatMap((part) => part.problems),
    // With a field misspelt, a missing challenge is most likely that one's fault.
    ...solvers.problems.filter(({ code }) => problems.length === 0 || code !== 'NoChallenge'),
    ...(fields.skipTLSVerify === true ? [SKIPS_TLS] : []),
    ...annotationProblems(document.annotations, [TRUST_ANCHORS, ACME_HOSTS]),
  ];
  if (
    server.value === undefined ||
    account.value === undefined ||
    caBundle.value === undefined ||
    solvers.value === undefined ||
    trustAnchors.value === undefined ||
    hosts.value === undefined ||
    said.some(isError)
  ) {
    return { ok: false, objections: said };
  }
  const options: AcmeOptions = {
    server: server.value,
    ...account.value,
    ...caBundle.value,
    ...wishesOf(fields),
    hosts: hosts.value,
    trustAnchors: trustAnchors.value,
    solvers: solvers.value,
  };
  return { ok: true, options, remarks: said, secrets: secretsOf(options) };
}

/** Empty text is Go's way to leave a field out. */
const wishesOf = (fields: AcmeFields): Pick<AcmeOptions, 'profile' | 'preferredChain' | 'sendsNotAfter'> => ({
  ...(fields.profile === undefined || fields.profile === '' ? {} : { profile: fields.profile }),
  ...(fields.preferredChain === undefined || fields.preferredChain === ''
    ? {}
    : { preferredChain: fields.preferredChain }),
  sendsNotAfter: fields.enableDurationFeature === true,
});

function secretsOf({ accountKey, externalAccountBinding: binding }: AcmeOptions): readonly IssuerSecret[] {
  const account = { ref: accountKey, path: [...ACME, 'privateKeySecretRef', 'name'] };
  if (binding === undefined) return [account];
  return [account, { ref: binding.secret, path: [...ACME, 'externalAccountBinding', 'keySecretRef', 'name'] }];
}

const SKIPS_TLS: Problem = error(
  'InsecureTls',
  [...ACME, 'skipTLSVerify'],
  'Without verification anybody on the way could answer in place of the CA; it is never turned off.',
  "Remove it. Where the CA's certificate is from a CA of your own, put that one into `caBundle`.",
);
