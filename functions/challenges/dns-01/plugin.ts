import { PermanentError } from '../../core/errors.ts';
import type { ChallengePlugin, DnsWriterPlugin } from '../../core/ports.ts';
import { CHALLENGE_LABEL } from './challenge-label.ts';
import { parseDns01 } from './document.ts';
import type { Dns01Options } from './options.ts';

type Writers = readonly DnsWriterPlugin<unknown>[];

/** Control over a name, proved by a TXT record (RFC 8555 §8.4). The one type that proves wildcards. */
export const dns01 = (writers: Writers): ChallengePlugin<Dns01Options> => ({
  type: 'dns-01',
  field: 'dns01',
  parse: (value, path) => parseDns01(value, path, writers),
  proves: (identifier) => identifier !== 'ip',
  needs: ({ writer, options, followsCnames }) =>
    // A CNAME leads to names of any form.
    writerOf(writer, writers).needs(options, [followsCnames ? '*' : `${CHALLENGE_LABEL}.*`]),
  create: async ({ writer, options, followsCnames }) => {
    const { dns01Solver } = await import('./solver.ts');
    return dns01Solver(await writerOf(writer, writers).create(options), followsCnames);
  },
});

function writerOf(field: string, writers: Writers): DnsWriterPlugin<unknown> {
  const plugin = writers.find((candidate) => candidate.field === field);
  if (plugin !== undefined) return plugin;
  throw new PermanentError('UnknownDnsWriter', `there is no DNS writer "${field}" in this version`);
}
