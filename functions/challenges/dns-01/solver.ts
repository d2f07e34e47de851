import { createHash } from 'node:crypto';
import type { ChallengeSolver, DnsWriter, Placement, TxtRecord } from '../../core/ports.ts';
import { CHALLENGE_LABEL } from './challenge-label.ts';
import { followCnames } from './cnames.ts';

/** RFC 8555 §8.4: a TXT record beneath the name, with the digest of the key authorization. */
export function dns01Solver(writer: DnsWriter, followsCnames: boolean): ChallengeSolver {
  return {
    locate: async ({ identifier, keyAuthorization }) => {
      const asked = `${CHALLENGE_LABEL}.${identifier}`;
      const name = followsCnames ? await followCnames(asked) : asked;
      const value = createHash('sha256').update(keyAuthorization).digest('base64url');
      return { zone: await writer.zoneOf(name), name, value };
    },
    present: (placements) => writer.add(placements.map(recordOf)),
    check: (ticket) => writer.check(ticket),
    cleanUp: (placements) => writer.remove(placements.map(recordOf)),
  };
}

const recordOf = ({ zone = '', name = '', value = '' }: Placement): TxtRecord => ({ zone, name, value });
