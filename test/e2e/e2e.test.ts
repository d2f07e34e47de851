import { afterAll, beforeAll } from 'vitest';
import { badInput } from './stories/bad-input.ts';
import { contracts } from './stories/contracts.ts';
import { failures } from './stories/failures.ts';
import { deployedAsItIs, issuance } from './stories/first-deploy.ts';
import { publicCa } from './stories/public-ca.ts';
import { removal } from './stories/removal.ts';
import { changingNothing, updates } from './stories/updates.ts';
import { Subscriber } from './support/subscriber.ts';
import { World } from './support/world.ts';

/** One account, one story: each chapter goes on from what the one before it left. */
let world: World;
let subscriber: Subscriber;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world?.stop());

const theWorld = (): World => world;
const theSubscriber = (): Subscriber => subscriber;

deployedAsItIs(theWorld, async () => {
  subscriber = await Subscriber.deploy(world);
});
badInput(theWorld);
contracts(theWorld);
changingNothing(theWorld);
issuance(theWorld, theSubscriber);
publicCa(theWorld);
updates(theWorld);
failures(theWorld, theSubscriber);
removal(theWorld, theSubscriber);
