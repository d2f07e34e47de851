import * as z from 'zod/mini';
import { KEYS } from '../pca/keys.ts';
import { type IssuedCertificate, PrivateCa, type PrivateCaOptions, type Status } from '../pca/private-ca.ts';
import { validity } from '../pca/validity.ts';
import type { Misissue } from '../pca/wrong-leaves.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../wire/service.ts';
import { readInput } from './input.ts';

export interface AcmPcaOptions {
  readonly certificateAuthorities: readonly PrivateCaOptions[];
  /** Milliseconds since the epoch; asked once, for the validity of the CAs. */
  readonly now: () => number;
}

const Arn = z.string().check(z.minLength(5), z.maxLength(200));
const OfAuthority = z.strictObject({ CertificateAuthorityArn: Arn });
const OfCertificate = z.strictObject({ CertificateAuthorityArn: Arn, CertificateArn: Arn });
const Revocation = z.strictObject({
  CertificateAuthorityArn: Arn,
  CertificateSerial: z.string().check(z.regex(/^[\da-fA-F:]{1,128}$/)),
  RevocationReason: z.enum([
    'UNSPECIFIED',
    'KEY_COMPROMISE',
    'CERTIFICATE_AUTHORITY_COMPROMISE',
    'AFFILIATION_CHANGED',
    'SUPERSEDED',
    'CESSATION_OF_OPERATION',
    'PRIVILEGE_WITHDRAWN',
    'A_A_COMPROMISE',
  ]),
});
const Issuance = z.strictObject({
  CertificateAuthorityArn: Arn,
  /** A blob: PEM, and that in base64 since it is JSON. */
  Csr: z.base64().check(z.minLength(1)),
  SigningAlgorithm: z.string(),
  TemplateArn: z.optional(Arn),
  Validity: validity,
  ValidityNotBefore: z.optional(validity),
  IdempotencyToken: z.optional(z.string().check(z.minLength(1), z.maxLength(36))),
});

/** AWS Private CA with CAs of its own: each is a subordinate under a root. */
export class AcmPca implements JsonService {
  readonly signingName = 'acm-pca';
  readonly #authorities: ReadonlyMap<string, PrivateCa>;
  /** GetCertificate calls so far, by the certificate's ARN. */
  readonly #asked = new Map<string, number>();

  /** How many GetCertificate calls for a certificate answer RequestInProgressException before it is there. */
  issuanceDelay = 1;
  /** While set, leaves are not what was asked for. */
  misissue: Misissue | undefined;
  /** While set, says of a call whether it is throttled. */
  throttle: ((operation: string) => boolean) | undefined;

  constructor({ certificateAuthorities, now }: AcmPcaOptions) {
    const createdAt = now();
    this.#authorities = new Map(certificateAuthorities.map((ca) => [ca.arn, new PrivateCa(ca, createdAt)]));
  }

  /** Trust anchors in PEM, one a CA, in the order they were declared. */
  async roots(): Promise<readonly string[]> {
    const authorities = await Promise.all([...this.#authorities.values()].map((ca) => ca.authority()));
    return authorities.map(({ root }) => root.toString('pem'));
  }

  /** Every certificate that a CA signed, in order, fetched or not. */
  issued(certificateAuthorityArn: string): readonly Readonly<IssuedCertificate>[] {
    return [...this.#find(certificateAuthorityArn).issued.values()];
  }

  setStatus(certificateAuthorityArn: string, status: Status): void {
    this.#find(certificateAuthorityArn).status = status;
  }

  async handle(call: ServiceCall): Promise<unknown> {
    const operation = this.#operations[call.operation];
    if (operation === undefined) throw unknownOperation('ACM PCA', call.operation);
    if (this.throttle?.(call.operation) === true) throw new AwsError('ThrottlingException', 'Rate exceeded');
    return await operation(call);
  }

  readonly #operations: Readonly<Record<string, (call: ServiceCall) => unknown>> = {
    DescribeCertificateAuthority: async (call) => {
      const { CertificateAuthorityArn } = readInput(OfAuthority, call);
      return { CertificateAuthority: await describe(this.#authorized(call, CertificateAuthorityArn), call) };
    },
    GetCertificateAuthorityCertificate: async (call) => {
      const { CertificateAuthorityArn } = readInput(OfAuthority, call);
      const { subordinate, root } = await this.#authorized(call, CertificateAuthorityArn).authority();
      return { Certificate: subordinate.toString('pem'), CertificateChain: root.toString('pem') };
    },
    IssueCertificate: async (call) => {
      const { CertificateAuthorityArn: caArn, IdempotencyToken, ...input } = readInput(Issuance, call);
      const partition = caArn.split(':')[1] ?? '';
      const templateArn = input.TemplateArn ?? `arn:${partition}:acm-pca:::template/EndEntityCertificate/V1`;
      const ca = this.#authorized(call, caArn, { 'acm-pca:TemplateArn': templateArn });
      const order = {
        csr: Buffer.from(input.Csr, 'base64').toString('utf8'),
        signingAlgorithm: input.SigningAlgorithm,
        templateArn,
        validity: input.Validity,
        validityNotBefore: input.ValidityNotBefore,
      };
      const { arn } = await ca.issueOnce(IdempotencyToken, order, call.now, this.misissue);
      return { CertificateArn: arn };
    },
    GetCertificate: (call) => {
      const { CertificateAuthorityArn, CertificateArn } = readInput(OfCertificate, call);
      const found = this.#authorized(call, CertificateAuthorityArn).issued.get(CertificateArn);
      if (found === undefined) throw notFound(CertificateArn);
      const asked = this.#asked.get(found.arn) ?? 0;
      this.#asked.set(found.arn, asked + 1);
      if (asked >= this.issuanceDelay) return { Certificate: found.certificate, CertificateChain: found.chain };
      throw new AwsError('RequestInProgressException', `The certificate ${CertificateArn} is still being issued.`);
    },
    RevokeCertificate: (call) => {
      const { CertificateAuthorityArn, CertificateSerial, RevocationReason } = readInput(Revocation, call);
      const ca = this.#authorized(call, CertificateAuthorityArn);
      ca.requireActive(call.now);
      const serial = CertificateSerial.replaceAll(':', '').toLowerCase();
      const found = [...ca.issued.values()].find((each) => each.serial === serial);
      if (found === undefined) throw notFound(`a certificate with the serial number ${CertificateSerial}`);
      if (found.revoked !== undefined) {
        throw new AwsError(
          'RequestAlreadyProcessedException',
          `The certificate ${CertificateSerial} was revoked before.`,
        );
      }
      found.revoked = { reason: RevocationReason, at: call.now };
    },
  };

  /** IAM knows CAs only: whatever is done to a certificate is authorized on the CA that issued it. */
  #authorized(call: ServiceCall, arn: string, context?: Readonly<Record<string, string>>): PrivateCa {
    if (!/^arn:[^:]+:acm-pca:[^:]*:\d{12}:certificate-authority\/[\w-]+$/.test(arn)) {
      throw new AwsError('InvalidArnException', `${arn} is not the ARN of a certificate authority.`);
    }
    call.authorize(`acm-pca:${call.operation}`, arn, context);
    return this.#find(arn);
  }

  #find(arn: string): PrivateCa {
    const ca = this.#authorities.get(arn);
    if (ca === undefined) throw notFound(arn);
    return ca;
  }
}

async function describe(ca: PrivateCa, { now }: ServiceCall): Promise<unknown> {
  const { subordinate } = await ca.authority();
  return {
    Arn: ca.arn,
    OwnerAccount: ca.arn.split(':')[4],
    Type: 'SUBORDINATE',
    Status: ca.statusAt(now),
    Serial: subordinate.serialNumber,
    CreatedAt: ca.createdAt / 1_000,
    LastStateChangeAt: ca.createdAt / 1_000,
    NotBefore: subordinate.notBefore.getTime() / 1_000,
    NotAfter: subordinate.notAfter.getTime() / 1_000,
    UsageMode: ca.usageMode,
    KeyStorageSecurityStandard: 'FIPS_140_2_LEVEL_3_OR_HIGHER',
    CertificateAuthorityConfiguration: {
      KeyAlgorithm: ca.keyAlgorithm,
      SigningAlgorithm: KEYS[ca.keyAlgorithm].signingAlgorithm,
      Subject: { CommonName: subordinate.subjectName.getField('CN')[0] },
    },
    RevocationConfiguration: { CrlConfiguration: { Enabled: false }, OcspConfiguration: { Enabled: false } },
  };
}

const notFound = (what: string): AwsError => new AwsError('ResourceNotFoundException', `There is no ${what}.`);
