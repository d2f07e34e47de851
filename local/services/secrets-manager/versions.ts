import { AwsError } from '../../wire/service.ts';

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

/** Quotas of Secrets Manager: labels across all versions of a secret, and versions before old ones are removed. */
const MOST_LABELS = 20;
const MOST_VERSIONS = 100;
const DAY_MS = 86_400_000;

/** One value a secret has or had. It never changes; only the labels on it move. */
export interface SecretVersion {
  /** The ClientRequestToken of the call that wrote it. */
  readonly id: string;
  readonly value: string;
  readonly createdAt: number;
  readonly labels: ReadonlySet<string>;
}

interface OwnVersion extends SecretVersion {
  readonly labels: Set<string>;
}

export interface LabelMove {
  readonly label: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** The versions of one secret. A staging label is on one of them at most. */
export class Versions {
  readonly #arn: string;
  readonly #versions = new Map<string, OwnVersion>();

  constructor(arn: string) {
    this.#arn = arn;
  }

  /** The oldest first. */
  all(): readonly SecretVersion[] {
    return [...this.#versions.values()];
  }

  has(id: string): boolean {
    return this.#versions.has(id);
  }

  /** Versions are immutable, so a token that was used before is either a repetition or a mistake. */
  put(id: string, value: string, labels: readonly string[], now: number): SecretVersion {
    const existing = this.#versions.get(id);
    if (existing !== undefined) {
      if (existing.value === value) return existing;
      const used = 'because that value is already in use for a version of secret';
      throw new AwsError('ResourceExistsException', `You can't use ClientRequestToken ${id} ${used} ${this.#arn}.`);
    }
    // AWS attaches AWSCURRENT to the first version of a secret, whatever labels it is given.
    const wanted = this.#versions.size === 0 ? [...labels, CURRENT] : labels;
    this.#requireRoomFor(wanted);
    const version = { id, value, createdAt: now, labels: new Set<string>() };
    this.#versions.set(id, version);
    for (const label of new Set(wanted)) this.#attach(label, version);
    this.#prune(now);
    return version;
  }

  find(id: string | undefined, label: string | undefined): SecretVersion {
    const found = id === undefined ? this.#holderOf(label ?? CURRENT) : this.#versions.get(id);
    if (found === undefined)
      throw valueNotFound(id === undefined ? `staging label: ${label ?? CURRENT}` : `VersionId: ${id}`);
    if (label === undefined || found.labels.has(label)) return found;
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
  }

  /** A compare-and-swap: who moves or removes a label has to know where it is. */
  moveLabel({ label, from, to }: LabelMove): void {
    if (from === undefined && to === undefined) {
      throw invalidParameter('You must specify RemoveFromVersionId, MoveToVersionId or both.');
    }
    for (const id of [from, to]) if (id !== undefined && !this.has(id)) throw valueNotFound(`VersionId: ${id}`);
    const holder = this.#holderOf(label);
    const target = to === undefined ? undefined : this.#versions.get(to);
    // A label that is where it shall be already needs no RemoveFromVersionId.
    if (from === undefined && holder !== undefined && holder !== target) {
      throw invalidParameter(
        `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ` +
          `${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
      );
    }
    if (from !== undefined && from !== holder?.id) {
      throw invalidParameter(
        `RemoveFromVersionId must be set to the version that has the staging label ${label}: ` +
          `it is attached to ${holder === undefined ? 'no version' : `version ${holder.id}`}, not to ${from}.`,
      );
    }
    if (target !== undefined) {
      this.#requireRoomFor([label]);
      this.#attach(label, target);
    } else if (label === CURRENT) {
      throw invalidParameter(
        `You can only move staging label ${CURRENT} to a different secret version. It can't be completely removed.`,
      );
    } else {
      holder?.labels.delete(label);
    }
  }

  #attach(label: string, target: OwnVersion): void {
    const holder = this.#holderOf(label);
    if (holder === target) return;
    holder?.labels.delete(label);
    target.labels.add(label);
    // "Secrets Manager also moves AWSPREVIOUS to the version that AWSCURRENT was removed from", also when it goes back.
    if (label === CURRENT && holder !== undefined) this.#attach(PREVIOUS, holder);
  }

  #holderOf(label: string): OwnVersion | undefined {
    return [...this.#versions.values()].find(({ labels }) => labels.has(label));
  }

  #requireRoomFor(labels: readonly string[]): void {
    const all = new Set([...this.#versions.values()].flatMap((version) => [...version.labels]).concat(labels));
    if (all.size <= MOST_LABELS) return;
    throw new AwsError('LimitExceededException', `a secret has at most ${MOST_LABELS} staging labels`);
  }

  /** The oldest that have no label go when there are too many, but none that is younger than a day. */
  #prune(now: number): void {
    for (const { id, labels, createdAt } of this.#versions.values()) {
      if (this.#versions.size <= MOST_VERSIONS) return;
      if (labels.size === 0 && now - createdAt >= DAY_MS) this.#versions.delete(id);
    }
  }
}

export const invalidParameter = (message: string): AwsError => new AwsError('InvalidParameterException', message);

export const invalidRequest = (message: string): AwsError => new AwsError('InvalidRequestException', message);

const valueNotFound = (what: string): AwsError =>
  new AwsError('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for ${what}`);
