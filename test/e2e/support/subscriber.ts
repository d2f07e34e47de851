import { type Announcement, parseEvent } from '../../../lib/index.ts';
import { eventually } from './eventually.ts';
import type { World } from './world.ts';

type Detail<Type extends Announcement['type']> = Extract<Announcement, { type: Type }>['detail'];

/** The queue that the app subscribes. Keeps what it has read, since events come at least once and in no order. */
export class Subscriber {
  readonly #world: World;
  readonly #queueUrl: string;
  readonly #seen: Announcement[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#queueUrl = world.outputs['HappeningsUrl'] ?? '';
  }

  /** The event that tells `what` of a certificate, as any subscriber would parse it. */
  told<Type extends Announcement['type']>(
    type: Type,
    certificate: string,
    what: string,
    fits: (detail: Detail<Type>) => boolean,
  ): Promise<Detail<Type>> {
    return eventually(`the subscriber is told ${what} of ${certificate}`, async () => {
      for (const message of await this.#world.account.receive(this.#queueUrl)) {
        this.#seen.push(parseEvent(JSON.parse(message.Body ?? '')));
        await this.#world.account.delete(this.#queueUrl, message);
      }
      const details = this.#seen.filter((event) => event.type === type).map(({ detail }) => detail as Detail<Type>);
      return details.find((detail) => detail.certificate === certificate && fits(detail));
    });
  }
}
