import { X509Certificate } from 'node:crypto';
import {
  type ACMPCAClient,
  type CertificateAuthority,
  DescribeCertificateAuthorityCommand,
  GetCertificateAuthorityCertificateCommand,
  GetCertificateCommand,
  type GetCertificateResponse,
  IssueCertificateCommand,
  type RevocationReason as AwsRevocationReason,
  RevokeCertificateCommand,
  type SigningAlgorithm,
} from '@aws-sdk/client-acm-pca';
import type { Credentials } from '../../aws/assumed-role.ts';
import { awsFailure, failureName } from '../../aws/failures.ts';
import { lookAgainSeconds } from '../../core/backoff.ts';
import type { IssuedChain, RevocationReason } from '../../core/certificate.ts';
import { PermanentError, TransientError } from '../../core/errors.ts';
import type { Issuer, SigningRequest, Step, Ticket } from '../../core/ports.ts';
import { DAY_MS, SECOND_MS, toTimestamp } from '../../core/time.ts';
import { splitCertificates } from '../../core/x509/pem.ts';
import { acmPcaClient, callLimit } from './client.ts';
import type { AcmPcaOptions } from './document.ts';
import { templateFor } from './templates.ts';

/** AWS: a certificate is there one to two seconds after IssueCertificate, as a rule. */
const SHORTEST_LOOK_SECONDS = 1;

/** The longest life a CA in short-lived mode gives. */
const SHORT_LIVED_MAX_MS = 7 * DAY_MS;

/**
 * AWS Private CA. IssueCertificate is asynchronous: it answers an ARN, and GetCertificate refuses with
 * RequestInProgressException until the certificate is there.
 */
export function acmPcaIssuer(options: AcmPcaOptions, credentials: Credentials | undefined, limit = callLimit): Issuer {
  const arn = options.certificateAuthorityArn;
  const client = acmPcaClient(options.region, credentials);
  const authority = once(() => describeAuthority(client, arn, limit()));
  const anchors = once(() => trustAnchors(client, arn, limit()));

  /** Undefined while the CA is still at it. */
  async function fetchCertificate(certificateArn: string): Promise<GetCertificateResponse | undefined> {
    try {
      return await client.send(
        new GetCertificateCommand({ CertificateAuthorityArn: arn, CertificateArn: certificateArn }),
        { abortSignal: limit() },
      );
    } catch (error) {
      const name = failureName(error);
      if (name === 'RequestInProgressException') return undefined;
      if (name === 'RequestFailedException' || name === 'ResourceNotFoundException') {
        throw new TransientError('OrderFailed', `${certificateArn}: the CA gave up on it (${name})`, {
          cause: error,
          endsAttempt: true,
        });
      }
      throw awsFailure(error, `fetching ${certificateArn}`);
    }
  }

  async function check(_request: SigningRequest, ticket: Ticket): Promise<Step<IssuedChain>> {
    const certificateArn = ticket['certificateArn'] ?? '';
    const answer = await fetchCertificate(certificateArn);
    if (answer === undefined) return waiting(certificateArn, Number(ticket['looks'] ?? 0) + 1);
    const [leaf, ...more] = splitCertificates(textOf(answer.Certificate));
    if (leaf === undefined) throw emptyAnswer(`fetching ${certificateArn}`, 'no certificate');
    const intermediates = [...more, ...splitCertificates(textOf(answer.CertificateChain))];
    return { status: 'done', value: { leaf, intermediates, trustAnchors: await anchors() } };
  }

  return {
    start: async (request) => {
      const { signingAlgorithm, notAfter } = planIssuance(arn, await authority(), request);
      const doing = `ordering a certificate from ${arn}`;
      const template = templateFor(request.certificate.usages, arn);
      if (template === undefined) {
        throw new PermanentError(
          'NoTemplate',
          `no template of AWS Private CA gives ${request.certificate.usages.join(', ')}`,
        );
      }
      try {
        const answer = await client.send(
          new IssueCertificateCommand({
            CertificateAuthorityArn: arn,
            Csr: new TextEncoder().encode(request.csr),
            SigningAlgorithm: signingAlgorithm,
            TemplateArn: template,
            // Absolute, and fixed in the ledger: "now + n" would make every repeat another request.
            Validity: { Type: 'ABSOLUTE', Value: Math.floor(notAfter / SECOND_MS) },
            // Lives five minutes at AWS.
            IdempotencyToken: request.attempt,
          }),
          { abortSignal: limit() },
        );
        const certificateArn = textOf(answer.CertificateArn);
        if (certificateArn === '') throw emptyAnswer(doing, 'no ARN');
        return waiting(certificateArn, 0);
      } catch (error) {
        throw awsFailure(error, doing);
      }
    },
    check,
    // Nothing is held at the CA: an issued certificate that nobody fetches is only ever an issued certificate.
    abandon: () => Promise.resolve(),

    revoke: async ({ certificate, reason }) => {
      const { serialNumber } = new X509Certificate(certificate);
      try {
        await client.send(
          new RevokeCertificateCommand({
            CertificateAuthorityArn: arn,
            CertificateSerial: serialNumber,
            RevocationReason: REVOCATION_REASONS[reason],
          }),
          { abortSignal: limit() },
        );
      } catch (error) {
        if (failureName(error) === 'RequestAlreadyProcessedException') return;
        throw awsFailure(error, `revoking ${serialNumber} at ${arn}`);
      }
    },
  };
}

const REVOCATION_REASONS: Readonly<Record<RevocationReason, AwsRevocationReason>> = {
  unspecified: 'UNSPECIFIED',
  keyCompromise: 'KEY_COMPROMISE',
  affiliationChanged: 'AFFILIATION_CHANGED',
  superseded: 'SUPERSEDED',
  cessationOfOperation: 'CESSATION_OF_OPERATION',
};

const waiting = (certificateArn: string, looks: number): Step<IssuedChain> => ({
  status: 'waiting',
  ticket: { certificateArn, looks: String(looks) },
  checkAfterSeconds: Math.max(SHORTEST_LOOK_SECONDS, lookAgainSeconds(looks)),
});

/** The SDK hands on what came, whatever its types say. */
const textOf = (member: unknown): string => (typeof member === 'string' ? member : '');

const emptyAnswer = (doing: string, what: string): TransientError =>
  new TransientError('EmptyAnswer', `${doing}: the answer holds ${what}`, { mayHaveActed: true });

async function describeAuthority(
  client: ACMPCAClient,
  arn: string,
  abortSignal: AbortSignal,
): Promise<CertificateAuthority> {
  const doing = `describing ${arn}`;
  try {
    const command = new DescribeCertificateAuthorityCommand({ CertificateAuthorityArn: arn });
    const { CertificateAuthority: found } = await client.send(command, { abortSignal });
    if (found?.Status === undefined) throw emptyAnswer(doing, 'no state of the CA');
    return found;
  } catch (error) {
    throw awsFailure(error, doing);
  }
}

/** The top of the CA's own chain, or the CA itself where it is a root. */
async function trustAnchors(client: ACMPCAClient, arn: string, abortSignal: AbortSignal): Promise<readonly string[]> {
  const doing = `fetching the certificate of ${arn}`;
  try {
    const command = new GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn });
    const { Certificate, CertificateChain } = await client.send(command, { abortSignal });
    const top = [...splitCertificates(textOf(Certificate)), ...splitCertificates(textOf(CertificateChain))].at(-1);
    if (top === undefined) throw emptyAnswer(doing, 'no certificate');
    return [top];
  } catch (error) {
    throw awsFailure(error, doing);
  }
}

/** What this CA can be asked for. Refuses what it would refuse, or what would only waste an issuance. */
function planIssuance(
  arn: string,
  { Status, NotAfter, UsageMode, CertificateAuthorityConfiguration }: CertificateAuthority,
  { certificate, notAfter: wanted }: SigningRequest,
): { readonly signingAlgorithm: SigningAlgorithm; readonly notAfter: number } {
  if (Status !== 'ACTIVE') {
    throw new PermanentError('CaNotActive', `${arn} is ${Status}; only an ACTIVE CA issues`);
  }
  const lifetimeMs = certificate.durationSeconds * SECOND_MS;
  if (UsageMode === 'SHORT_LIVED_CERTIFICATE' && lifetimeMs > SHORT_LIVED_MAX_MS) {
    throw new PermanentError(
      'DurationTooLong',
      `${arn} is in short-lived mode and issues for 168h at most; spec.duration asks for ${lifetimeMs / 3_600_000}h`,
    );
  }
  const authorityEnds = NotAfter?.getTime() ?? Infinity;
  // Clamping further would renew ever faster as the CA nears its end.
  if (authorityEnds < wanted - lifetimeMs / 2) {
    throw new PermanentError(
      'CaExpiresTooSoon',
      `${arn} expires at ${toTimestamp(authorityEnds)}, before half of the lifetime asked for; renew the CA or shorten spec.duration`,
    );
  }
  return {
    signingAlgorithm: signingAlgorithmOf(arn, CertificateAuthorityConfiguration?.KeyAlgorithm),
    notAfter: Math.min(wanted, authorityEnds - SECOND_MS),
  };
}

/** The family has to be that of the CA's key. */
function signingAlgorithmOf(arn: string, keyAlgorithm: string | undefined): SigningAlgorithm {
  switch (keyAlgorithm) {
    case 'RSA_2048':
    case 'RSA_3072':
    case 'RSA_4096':
      return 'SHA256WITHRSA';
    case 'EC_prime256v1':
      return 'SHA256WITHECDSA';
    case 'EC_secp384r1':
      return 'SHA384WITHECDSA';
    case 'EC_secp521r1':
      return 'SHA512WITHECDSA';
    default:
      throw new PermanentError(
        'CaKeyUnsupported',
        `${arn} has a key of type ${keyAlgorithm ?? 'unknown'}, which cannot sign here`,
      );
  }
}

/** Remembers success only: a failure is asked again. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
