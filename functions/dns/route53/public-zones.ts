import { type HostedZone, paginateListHostedZones, type Route53Client } from '@aws-sdk/client-route-53';
import { awsFailure } from '../../aws/failures.ts';
import { PermanentError } from '../../core/errors.ts';
import { MINUTE_MS } from '../../core/time.ts';

/** What an account's zones are trusted to be for so long. */
const LIFETIME_MS = 5 * MINUTE_MS;

interface Listing {
  readonly zones: Promise<readonly HostedZone[]>;
  readonly until: number;
}

/** The zones of an account that the world can see. */
export class PublicZones {
  readonly #client: Route53Client;
  #listing: Listing | undefined;

  constructor(client: Route53Client) {
    this.#client = client;
  }

  /** Id of the longest zone that `name` is in. A zone that is missing may be new: it is looked for once more. */
  async find(name: string): Promise<string | undefined> {
    const known = this.#listing;
    const isFresh = known === undefined || Date.now() >= known.until;
    const found = longestMatch(name, await (isFresh ? this.#list() : known.zones));
    return found === undefined && !isFresh ? longestMatch(name, await this.#list()) : found;
  }

  #list(): Promise<readonly HostedZone[]> {
    const zones = listPublicZones(this.#client).catch((error: unknown) => {
      this.#listing = undefined;
      throw awsFailure(error, 'listing hosted zones');
    });
    this.#listing = { zones, until: Date.now() + LIFETIME_MS };
    return zones;
  }
}

async function listPublicZones(client: Route53Client): Promise<readonly HostedZone[]> {
  const zones: HostedZone[] = [];
  for await (const { HostedZones = [] } of paginateListHostedZones({ client }, {})) zones.push(...HostedZones);
  // What is only seen inside of a VPC, no CA sees.
  return zones.filter(({ Config }) => Config?.PrivateZone !== true);
}

function longestMatch(name: string, zones: readonly HostedZone[]): string | undefined {
  const apex = ({ Name = '' }: HostedZone): string => Name.toLowerCase().replace(/\.$/, '');
  const matching = zones.filter((zone) => name === apex(zone) || name.endsWith(`.${apex(zone)}`));
  const longest = Math.max(...matching.map((zone) => apex(zone).length));
  const [zone, ...twins] = matching.filter((candidate) => apex(candidate).length === longest);
  if (zone === undefined) return undefined;
  if (twins.length === 0) return idOf(zone);
  throw new PermanentError(
    'AmbiguousZone',
    `Route 53 has ${twins.length + 1} public hosted zones named ${apex(zone)} (${[zone, ...twins].map(idOf).join(', ')}); ` +
      `give the solver the hostedZoneID of the one that the name servers are delegated to`,
  );
}

/** Without the prefix `/hostedzone/`. */
const idOf = ({ Id = '' }: HostedZone): string => Id.slice(Id.lastIndexOf('/') + 1);
