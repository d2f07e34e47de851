import * as z from 'zod/mini';
import { atKey, error, isError, type Path, type Problem } from '../../core/manifest/finding.ts';
import { shape } from '../../core/manifest/shape.ts';
import type { DnsWriterPlugin, ParsedOptions } from '../../core/ports.ts';
import type { Dns01Options } from './options.ts';

type Writers = readonly DnsWriterPlugin<unknown>[];

/** cert-manager's, in its own order. */
const DNS_SERVICES = [
  'acmeDNS',
  'akamai',
  'azureDNS',
  'cloudDNS',
  'cloudflare',
  'digitalocean',
  'rfc2136',
  'route53',
  'webhook',
] as const;
type DnsService = (typeof DNS_SERVICES)[number];

const elsewhere = z.optional(z.unknown());

const dns01Shape = z.strictObject({
  cnameStrategy: z.optional(z.enum(['None', 'Follow'])),
  acmeDNS: elsewhere,
  akamai: elsewhere,
  azureDNS: elsewhere,
  cloudDNS: elsewhere,
  cloudflare: elsewhere,
  digitalocean: elsewhere,
  rfc2136: elsewhere,
  route53: elsewhere,
  webhook: elsewhere,
} satisfies Record<DnsService | 'cnameStrategy', unknown>);

/** Parses what stands at `path`. What a DNS service's field means is its writer's to say. */
export function parseDns01(value: unknown, path: Path, writers: Writers): ParsedOptions<Dns01Options> {
  const { output, problems } = shape(dns01Shape, value, { under: path });
  if (output === undefined) return { ok: false, objections: problems };
  const [service, ...others] = DNS_SERVICES.filter((name) => output[name] !== undefined);
  const writer = writers.find(({ field }) => field === service);
  // With a field misspelt, a missing service is most likely that one's fault.
  if (service === undefined)
    return { ok: false, objections: problems.length > 0 ? problems : [noService(path, writers)] };
  if (writer === undefined) return { ok: false, objections: [...problems, notBuilt(service, path, writers)] };

  const parsed = writer.parse(output[service], [...path, service]);
  const said = [...problems, ...others.map((other) => exclusive(service, other, path))];
  if (!parsed.ok) return { ok: false, objections: [...said, ...parsed.objections] };
  if (said.some(isError)) return { ok: false, objections: [...said, ...(parsed.remarks ?? [])] };
  const { options, remarks = [] } = parsed;
  return { ok: true, options: { followsCnames: output.cnameStrategy === 'Follow', writer: service, options }, remarks };
}

const built = (writers: Writers): string => writers.map(({ field }) => `\`${field}\``).join(', ');

const noService = (path: Path, writers: Writers): Problem =>
  atKey(
    error(
      'NoDnsService',
      path,
      '`dns01` names no DNS service to write the record to.',
      `Add one, as in \`dns01: { route53: {} }\`. Those that are built: ${built(writers)}.`,
    ),
  );

const notBuilt = (service: DnsService, path: Path, writers: Writers): Problem =>
  atKey(
    error(
      'KindNotBuilt',
      [...path, service],
      `\`${service}\` is not built yet.`,
      `DNS services that are: ${built(writers)}.`,
    ),
  );

const exclusive = (first: DnsService, second: DnsService, path: Path): Problem =>
  atKey(
    error('Exclusive', [...path, second], `\`${first}\` and \`${second}\` cannot both be set.`, 'Keep one of them.'),
  );
