import {
  type Change,
  type ChangeInfo,
  ChangeResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { awsFailure, failureName } from '../../aws/failures.ts';
import { PermanentError, TransientError } from '../../core/errors.ts';

/** Route 53: 1,000 records and 32,000 characters a batch, where each UPSERT counts twice. Ours have some fifty characters. */
const MOST_CHANGES = 300;

interface Submission {
  readonly changes: readonly Change[];
  readonly resolve: (change: ChangeInfo) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Changes to zones, one batch at a time for each: Route 53 refuses a second one while it takes the first
 * (PriorRequestNotComplete), and counts calls, not changes. What comes while a batch is under way goes with the next one.
 */
export class ChangeBatches {
  readonly #client: Route53Client;
  readonly #queues = new Map<string, Submission[]>();

  constructor(client: Route53Client) {
    this.#client = client;
  }

  upsert(zone: string, sets: readonly ResourceRecordSet[]): Promise<ChangeInfo> {
    return this.#submit(
      zone,
      sets.map((set) => ({ Action: 'UPSERT', ResourceRecordSet: set })),
    );
  }

  /** What is not there is as good as removed. */
  async remove(zone: string, sets: readonly ResourceRecordSet[]): Promise<void> {
    const changes = sets.map((set): Change => ({ Action: 'DELETE', ResourceRecordSet: set }));
    try {
      await this.#submit(zone, changes);
    } catch (error) {
      if (!isInvalid(error)) throw error;
      // All or nothing: one that is gone already keeps the others. Each for itself, then.
      for (const change of changes) await this.#removeOne(zone, change);
    }
  }

  async #removeOne(zone: string, change: Change): Promise<void> {
    try {
      await this.#submit(zone, [change]);
    } catch (error) {
      if (!isInvalid(error) || !/not found/.test(error.message)) throw error;
    }
  }

  #submit(zone: string, changes: readonly Change[]): Promise<ChangeInfo> {
    return new Promise((resolve, reject) => {
      const submission = { changes, resolve, reject };
      const queue = this.#queues.get(zone);
      if (queue === undefined) {
        this.#queues.set(zone, [submission]);
        // After everything that is ready to submit now has submitted.
        setImmediate(() => void this.#work(zone));
      } else queue.push(submission);
    });
  }

  async #work(zone: string): Promise<void> {
    const queue = this.#queues.get(zone) ?? [];
    while (queue.length > 0) await this.#send(zone, takeBatch(queue));
    this.#queues.delete(zone);
  }

  /** Settles every submission; throws nothing. */
  async #send(zone: string, batch: readonly Submission[]): Promise<void> {
    try {
      const info = await this.#change(
        zone,
        batch.flatMap(({ changes }) => changes),
      );
      for (const { resolve } of batch) resolve(info);
    } catch (error) {
      const [first, ...others] = batch;
      if (others.length > 0 && isInvalid(error)) {
        // One of them is wrong; the others are not to suffer for it.
        for (const submission of batch) await this.#send(zone, [submission]);
        return;
      }
      first?.reject(error);
      for (const { reject } of others) reject(error);
    }
  }

  async #change(zone: string, changes: readonly Change[]): Promise<ChangeInfo> {
    const doing = `changing ${changes.length} records of hosted zone ${zone}`;
    try {
      const { ChangeInfo: info } = await this.#client.send(
        new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes: [...changes] } }),
      );
      if (info !== undefined) return info;
      throw new TransientError('EmptyAnswer', `${doing}: Route 53 answered without a change`, { mayHaveActed: true });
    } catch (error) {
      if (failureName(error) === 'InvalidChangeBatch') throw invalid(error, doing);
      throw awsFailure(error, doing);
    }
  }
}

/** As many as one batch holds, and at least one. */
function takeBatch(queue: Submission[]): readonly Submission[] {
  let size = 0;
  const end = queue.findIndex(({ changes }, index) => (size += changes.length) > MOST_CHANGES && index > 0);
  return queue.splice(0, end === -1 ? queue.length : end);
}

function invalid(error: unknown, doing: string): PermanentError {
  const { messages = [], message } = error as Error & { readonly messages?: readonly string[] };
  const why = messages.length > 0 ? messages.join('; ') : message;
  return new PermanentError(
    'DnsChangeRefused',
    `${doing}: ${why} (a record of the same name that somebody else made may be in the way)`,
    { cause: error },
  );
}

const isInvalid = (error: unknown): error is PermanentError =>
  error instanceof PermanentError && error.code === 'DnsChangeRefused';
