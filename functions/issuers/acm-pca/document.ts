import * as z from 'zod/mini';
import { ROLE_ARN } from '../../core/manifest/aws-names.ts';
import type { CertificateSpec } from '../../core/certificate.ts';
import { error, isError, type Problem } from '../../core/manifest/finding.ts';
import { annotationProblems } from '../../core/manifest/our-annotations.ts';
import { shape } from '../../core/manifest/shape.ts';
import { showValue } from '../../core/manifest/show-value.ts';
import type { IssuerDocument, IssuerDocumentKind, Objection, ParsedOptions } from '../../core/ports.ts';
import { usageInTheWay } from './templates.ts';

/** The documents of cert-manager's aws-privateca-issuer. */
export const documents: readonly IssuerDocumentKind[] = [
  { group: 'awspca.cert-manager.io', version: 'v1beta1', kind: 'AWSPCAIssuer', scope: 'Namespaced' },
  { group: 'awspca.cert-manager.io', version: 'v1beta1', kind: 'AWSPCAClusterIssuer', scope: 'Cluster' },
];

export interface AcmPcaOptions {
  readonly certificateAuthorityArn: string;
  /** The CA's own. */
  readonly region: string;
  /** A role to assume before the CA is called, for a CA in another account that shares no resource policy. */
  readonly role?: string;
}

const specShape = z.strictObject({
  arn: z.string(),
  region: z.optional(z.string()),
  role: z.optional(z.string()),
  secretRef: z.optional(z.unknown()),
});

const EXAMPLE_ARN = 'arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/11111111-2222-3333-4444-555555555555';
const CA_ARN =
  /^arn:aws(?:-cn|-us-gov)?:acm-pca:([a-z]{2}(?:-[a-z]+)+-\d):\d{12}:certificate-authority\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Parses an issuer document; the paths of objections lead into it. */
export function parseAcmPca({ spec, annotations }: IssuerDocument): ParsedOptions<AcmPcaOptions> {
  const { output, problems } = shape(specShape, spec, {
    under: ['spec'],
    examples: { 'spec.arn': `arn: ${EXAMPLE_ARN}` },
  });
  if (output === undefined) return { ok: false, objections: problems };
  const { arn, region = '', role = '' } = output;
  const regionOfArn = CA_ARN.exec(arn)?.[1];
  const said: Problem[] = [
    ...problems,
    ...(regionOfArn === undefined ? [badArn(arn)] : regionProblems(region, regionOfArn)),
    ...(role === '' || ROLE_ARN.test(role) ? [] : [badRole(role)]),
    ...(output.secretRef === undefined ? [] : [STATIC_KEYS]),
    ...annotationProblems(annotations, []),
  ];
  if (regionOfArn === undefined || said.some(isError)) return { ok: false, objections: said };
  const options = { certificateAuthorityArn: arn, region: regionOfArn, ...(role === '' ? {} : { role }) };
  return { ok: true, options, remarks: said };
}

/** Usages that no template of AWS Private CA gives. Everything else of a request it takes from the CSR. */
export function acmPcaObjections(_options: AcmPcaOptions, { usages }: CertificateSpec): readonly Objection[] {
  const index = usageInTheWay(usages);
  const usage = index === undefined ? undefined : usages[index];
  if (index === undefined || usage === undefined) return [];
  const others = usageInTheWay([usage]) === undefined ? ' together with the usages before it' : '';
  return [
    {
      path: ['spec', 'usages', index],
      message: `No template of AWS Private CA gives "${usage}"${others}.`,
      remedy:
        'Use "server auth", "client auth" or both, with "digital signature" and "key encipherment"; or "code signing" or "ocsp signing", with "digital signature" alone.',
    },
  ];
}

const badArn = (arn: string): Problem =>
  error(
    'InvalidArn',
    ['spec', 'arn'],
    `${showValue(arn)} is not the ARN of a private CA.`,
    `Write it as in \`${EXAMPLE_ARN}\`.`,
  );

const badRole = (role: string): Problem =>
  error(
    'InvalidArn',
    ['spec', 'role'],
    `${showValue(role)} is not the ARN of an IAM role.`,
    'Write it as in `arn:aws:iam::111122223333:role/issue-certificates`.',
  );

function regionProblems(region: string, regionOfArn: string): Problem[] {
  if (region === '' || region === regionOfArn) return [];
  const message = `\`region\` is "${region}", and the CA is in "${regionOfArn}".`;
  return [error('RegionMismatch', ['spec', 'region'], message, 'Remove `region`: the ARN says it.')];
}

const STATIC_KEYS: Problem = error(
  'StaticCredentials',
  ['spec', 'secretRef'],
  '`secretRef` names static access keys, which are never used here.',
  "Remove it: the function's own role calls the CA. For a CA in another account, name a `role` to assume.",
);
