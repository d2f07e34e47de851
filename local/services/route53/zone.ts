import { randomBytes } from 'node:crypto';
import { applyBatch, type Edit, identityOf, type RecordSet, type RecordSets } from './rules.ts';

/** Of a reserved domain: no resolver outside could be led to them. */
export const NAME_SERVERS = ['ns-1.twin.invalid', 'ns-2.twin.invalid'] as const;
const NS_TTL_SECONDS = 172_800;
const SOA_TTL_SECONDS = 900;

export interface ZoneSettings {
  readonly id: string;
  /** Normalized. */
  readonly name: string;
  readonly isPrivate: boolean;
  readonly callerReference: string;
}

/** One accepted request. It can be listed at once; the name servers have it once it is in sync. */
export interface Change {
  readonly id: string;
  readonly submittedAt: number;
  readonly edits: readonly Edit[];
  status: 'PENDING' | 'INSYNC';
  /** GetChange calls so far. */
  looks: number;
}

export class Zone {
  readonly id: string;
  readonly name: string;
  readonly isPrivate: boolean;
  readonly callerReference: string;
  readonly #served = new Map<string, RecordSet>();
  #records: RecordSets = new Map();
  #pending: Change[] = [];

  constructor({ id, name, isPrivate, callerReference }: ZoneSettings) {
    this.id = id;
    this.name = name;
    this.isPrivate = isPrivate;
    this.callerReference = callerReference;
  }

  /** As lists show them. */
  get records(): RecordSets {
    return this.#records;
  }

  /** As the name servers have them. */
  get served(): RecordSets {
    return this.#served;
  }

  /** The records that every zone is born with. */
  open(now: number): Change {
    const of = { name: this.name, setIdentifier: undefined };
    const [primary] = NAME_SERVERS;
    const soa = `${primary}. hostmaster.twin.invalid. 1 7200 900 1209600 86400`;
    const sets: RecordSet[] = [
      { ...of, type: 'NS', ttl: NS_TTL_SECONDS, values: NAME_SERVERS.map((server) => `${server}.`) },
      { ...of, type: 'SOA', ttl: SOA_TTL_SECONDS, values: [soa] },
    ];
    return this.submit(
      sets.map((set) => ({ action: 'CREATE', set })),
      now,
    );
  }

  submit(edits: readonly Edit[], now: number): Change {
    this.#records = applyBatch(this.name, this.#records, edits);
    const change: Change = { id: makeId('C'), submittedAt: now, edits, status: 'PENDING', looks: 0 };
    this.#pending.push(change);
    return change;
  }

  /** Changes reach the name servers in their order: with one, all before it. */
  sync(isDue: (change: Change) => boolean): void {
    const last = this.#pending.findLastIndex(isDue);
    for (const change of this.#pending.splice(0, last + 1)) {
      change.status = 'INSYNC';
      for (const { action, set } of change.edits) {
        if (action === 'DELETE') this.#served.delete(identityOf(set));
        else this.#served.set(identityOf(set), set);
      }
    }
  }
}

export function makeId(letter: string): string {
  return `${letter}${randomBytes(10).toString('hex').toUpperCase()}`;
}
