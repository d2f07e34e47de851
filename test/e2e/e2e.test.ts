import { afterAll, beforeAll } from 'vitest';
import { badInput } from './stories/bad-input.ts';
import { contracts } from './stories/contracts.ts';
import { deploying } from './stories/deploying.ts';
import { failures } from './stories/failures.ts';
import { deployedAsItIs, issuance } from './stories/first-deploy.ts';
import { operating } from './stories/operating.ts';
import { publicCa } from './stories/public-ca.ts';
import { operations } from './stories/operations.ts';
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

deployedAsItIs(theWorld, () => {
  subscriber = new Subscriber(world);
});
badInput(theWorld);
contracts(theWorld);
changingNothing(theWorld);
issuance(theWorld, theSubscriber);
publicCa(theWorld);
updates(theWorld);
operating(theWorld);
failures(theWorld, theSubscriber);
operations(theWorld);
deploying(theWorld, theSubscriber);
removal(theWorld);
