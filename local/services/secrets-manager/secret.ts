import type { SecretFilter, TagList } from './input.ts';
import { Versions } from './versions.ts';

const DAY_SECONDS = 86_400;

export interface SecretFacts {
  readonly arn: string;
  readonly name: string;
  readonly description: string | undefined;
  /** As the caller wrote it: an id, an alias or an ARN. */
  readonly kmsKeyId: string | undefined;
  readonly createdAt: number;
  readonly replicas: readonly Replica[];
}

export interface Replica {
  readonly Region: string;
  readonly KmsKeyId?: string | undefined;
}

export class Secret {
  readonly facts: SecretFacts;
  readonly versions: Versions;
  readonly tags = new Map<string, string>();
  changedAt: number;
  accessedAt: number | undefined;
  replicas: readonly Replica[];
  deletion: { readonly requestedAt: number; readonly dueAt: number } | undefined;

  constructor(facts: SecretFacts) {
    this.facts = facts;
    this.replicas = facts.replicas;
    this.versions = new Versions(facts.arn);
    this.changedAt = facts.createdAt;
  }

  /** How every answer begins. */
  get identity(): { readonly ARN: string; readonly Name: string } {
    return { ARN: this.facts.arn, Name: this.facts.name };
  }

  tag(tags: TagList): void {
    for (const { Key, Value } of tags) this.tags.set(Key, Value);
  }

  /** AWS compares the beginning, with case; any of the values will do. */
  matches({ Key, Values }: SecretFilter): boolean {
    const actual = { name: [this.facts.name], 'tag-key': [...this.tags.keys()], 'tag-value': [...this.tags.values()] };
    return Values.some((value) => actual[Key].some((each) => each.startsWith(value)));
  }

  /** What DescribeSecret and ListSecrets have in common. Like AWS, JSON leaves out what is undefined. */
  describe(): Record<string, unknown> {
    const { replicas } = this;
    return {
      ...this.identity,
      Description: this.facts.description,
      KmsKeyId: this.facts.kmsKeyId,
      CreatedDate: this.facts.createdAt / 1_000,
      LastChangedDate: this.changedAt / 1_000,
      // AWS, too, says only the day.
      LastAccessedDate: this.accessedAt && Math.floor(this.accessedAt / 1_000 / DAY_SECONDS) * DAY_SECONDS,
      DeletedDate: this.deletion && this.deletion.requestedAt / 1_000,
      ReplicationStatus: replicas.length === 0 ? undefined : replicas.map((each) => ({ ...each, Status: 'InSync' })),
      Tags: this.tags.size === 0 ? undefined : [...this.tags].map(([Key, Value]) => ({ Key, Value })),
    };
  }

  /** Versions without a label are not in it. */
  stages(): Record<string, string[]> | undefined {
    const labelled = this.versions.all().filter(({ labels }) => labels.size > 0);
    if (labelled.length === 0) return undefined;
    return Object.fromEntries(labelled.map(({ id, labels }) => [id, [...labels]]));
  }
}
