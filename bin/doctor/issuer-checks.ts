import { ACMPCAClient, DescribeCertificateAuthorityCommand } from '@aws-sdk/client-acm-pca';
import * as z from 'zod/mini';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { awsFailure } from '../../functions/aws/failures.ts';
import { type IssuerSpec, issuerIdOf } from '../../functions/core/certificate.ts';
import { DAY_MS, SECOND_MS, toTimestamp } from '../../functions/core/time.ts';
import type { AcmPcaOptions } from '../../functions/issuers/acm-pca/document.ts';
import { directory } from '../../functions/issuers/acme/objects.ts';
import type { AcmeOptions } from '../../functions/issuers/acme/options.ts';
import { httpsTransport } from '../../functions/issuers/acme/transport.ts';
import type { Account } from '../operator/account.ts';
import { checking, fault, fine, type Finding, warning } from './finding.ts';
import type { Wanted } from './wanted.ts';

/** Whether each CA can be reached, and is in the state to sign. */
export async function issuerChecks(account: Account, { issuers, certificates }: Wanted): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    issuers.map((issuer) =>
      checking(nameOf(issuer), async () => {
        if (issuer.plugin === 'acm-pca') return acmPcaFinding(issuer, longestSeconds(issuer, certificates), account);
        if (issuer.plugin === 'acme') return acmeFinding(issuer);
        return warning(nameOf(issuer), `nobody here knows how to look at "${issuer.plugin}"`, 'look at the CA by hand');
      }),
    ),
  );
  return findings.flat();
}

const nameOf = ({ ref }: IssuerSpec): string =>
  `issuer ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`;

const longestSeconds = ({ ref }: IssuerSpec, certificates: Wanted['certificates']): number =>
  certificates
    .filter(({ issuerRef }) => issuerIdOf(issuerRef) === issuerIdOf(ref))
    .reduce((longest, { durationSeconds }) => Math.max(longest, durationSeconds), 0);

async function acmPcaFinding(issuer: IssuerSpec, longest: number, { person, endpoint }: Account): Promise<Finding> {
  const { certificateAuthorityArn: arn, region, role } = issuer.options as AcmPcaOptions;
  const name = nameOf(issuer);
  if (role !== undefined) return notOurs(name, role);
  const client = new ACMPCAClient({ ...CLIENT_SETTINGS, ...endpoint, region });
  try {
    const { CertificateAuthority: ca } = await client.send(
      new DescribeCertificateAuthorityCommand({ CertificateAuthorityArn: arn }),
    );
    if (ca?.Status !== 'ACTIVE') {
      return fault(name, `${arn} is ${ca?.Status ?? 'unknown'}; only an ACTIVE CA issues`, 'make it active again');
    }
    const ends = ca.NotAfter?.getTime() ?? Infinity;
    if (ends < person.clock() + longest * SECOND_MS) {
      const message = `${arn} ends at ${toTimestamp(ends)}, before a certificate would that is issued today`;
      return fault(name, message, 'renew the CA, or shorten spec.duration');
    }
    const days = Math.floor((ends - person.clock()) / DAY_MS);
    return fine(name, `${arn} is ACTIVE for ${days.toLocaleString('en')} days`);
  } catch (error) {
    throw awsFailure(error, `describing ${arn}`);
  } finally {
    client.destroy();
  }
}

export const notOurs = (check: string, role: string): Finding =>
  warning(check, `it is reached through ${role}, which only the pipeline may assume`, 'look at it in that account');

/** RFC 8555 §6.1: a client MUST send one. */
const USER_AGENT = 'everleaf (doctor)';

/** The directory, over TLS that is verified as the issue function verifies it. From this machine's place in the network. */
async function acmeFinding(issuer: IssuerSpec): Promise<Finding> {
  const { server, caBundle } = issuer.options as AcmeOptions;
  const name = nameOf(issuer);
  const { status, body } = await httpsTransport(caBundle)({
    method: 'GET',
    url: new URL(server),
    headers: { 'user-agent': USER_AGENT },
  });
  if (status !== 200) return fault(name, `${server} answers ${status}`, 'correct the issuer’s server');
  return z.safeParse(directory, parseJson(body)).success
    ? fine(name, `${server} answers with its directory`)
    : fault(name, `${server} answers with something else than an ACME directory`, 'correct the issuer’s server');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no directory either.
    return undefined;
  }
}
