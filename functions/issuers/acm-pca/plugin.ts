import type { IssuerPlugin } from '../../core/ports.ts';
import { type AcmPcaOptions, acmPcaObjections, documents, parseAcmPca } from './document.ts';

/** AWS Private CA, declared as aws-privateca-issuer does. */
export const acmPca: IssuerPlugin<AcmPcaOptions> = {
  kind: 'acm-pca',
  summary: 'AWS Private CA (ACM PCA)',
  documents,
  parse: parseAcmPca,
  objections: acmPcaObjections,
  // The template for default usages adds both, whoever asked (EndEntityCertificate/V1).
  uninvitedUsages: ['server auth', 'client auth'],
  withheldUsages: [],
  honoursNotAfter: true,
  // AWS's default quota of IssueCertificate, an account and Region; it can be raised.
  orderLimit: { orders: 25, perSeconds: 1 },
  needs: ({ certificateAuthorityArn, role }) =>
    role === undefined
      ? [
          {
            actions: [
              'acm-pca:DescribeCertificateAuthority',
              'acm-pca:GetCertificateAuthorityCertificate',
              'acm-pca:IssueCertificate',
              'acm-pca:GetCertificate',
              'acm-pca:RevokeCertificate',
            ],
            resources: [certificateAuthorityArn],
          },
        ]
      : [{ actions: ['sts:AssumeRole'], resources: [role] }],
  create: async (options) => {
    const { acmPcaIssuer } = await import('./issuer.ts');
    if (options.role === undefined) return acmPcaIssuer(options, undefined);
    const { assumedRole } = await import('../../aws/assumed-role.ts');
    return acmPcaIssuer(options, assumedRole(options.role, options.region));
  },
};
