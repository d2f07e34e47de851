import type { DnsWriterPlugin } from '../../core/ports.ts';
import { parseRoute53 } from './document.ts';
import type { Route53Options } from './options.ts';

/** Amazon Route 53. */
export const route53: DnsWriterPlugin<Route53Options> = {
  field: 'route53',
  summary: 'Amazon Route 53',
  parse: parseRoute53,
  needs: ({ role, hostedZoneId }, names) => {
    if (role !== undefined) return [{ actions: ['sts:AssumeRole'], resources: [role] }];
    const zone = `arn:aws:route53:::hostedzone/${hostedZoneId ?? '*'}`;
    return [
      {
        actions: ['route53:ChangeResourceRecordSets'],
        resources: [zone],
        // Whatever else is in the zone is out of reach.
        conditions: {
          'ForAllValues:StringEquals': { 'route53:ChangeResourceRecordSetsRecordTypes': ['TXT'] },
          'ForAllValues:StringLike': { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': names },
        },
      },
      { actions: ['route53:GetChange'], resources: ['arn:aws:route53:::change/*'] },
      ...(hostedZoneId === undefined ? [{ actions: ['route53:ListHostedZones'], resources: ['*'] }] : []),
    ];
  },
  create: async (options) => {
    const { route53Writer } = await import('./writer.ts');
    if (options.role === undefined) return route53Writer(options, undefined);
    const { assumedRole } = await import('../../aws/assumed-role.ts');
    return route53Writer(options, assumedRole(options.role, options.region));
  },
};
