import { GetChangeCommand, type Route53Client } from '@aws-sdk/client-route-53';
import { awsFailure, failureName } from '../../aws/failures.ts';

/** Looks whether changes have arrived at all of Route 53's servers. Certificates that share a change share a look. */
export class Propagation {
  readonly #client: Route53Client;
  readonly #looking = new Map<string, Promise<boolean>>();

  constructor(client: Route53Client) {
    this.#client = client;
  }

  isComplete(change: string): Promise<boolean> {
    const looking = this.#looking.get(change) ?? this.#look(change);
    this.#looking.set(change, looking);
    return looking;
  }

  async #look(change: string): Promise<boolean> {
    try {
      const { ChangeInfo } = await this.#client.send(new GetChangeCommand({ Id: change }));
      return ChangeInfo?.Status === 'INSYNC';
    } catch (error) {
      // Route 53 forgets changes that are long through.
      if (failureName(error) === 'NoSuchChange') return true;
      throw awsFailure(error, `asking for change ${change}`);
    } finally {
      this.#looking.delete(change);
    }
  }
}
