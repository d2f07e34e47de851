import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Certbot } from './clients/certbot.ts';
import { Lego } from './clients/lego.ts';
import { judge } from './openssl.ts';
import { Peers } from './peers.ts';
import { type ChallengeDns, startChallengeDns } from './servers/challenge-dns.ts';
import { type Pebble, startPebble } from './servers/pebble.ts';
import { type StepCa, startStepCa } from './servers/step-ca.ts';

/** The peers with each other, without us: what fails here is the harness. */
const peers = new Peers();
let dns: ChallengeDns;
beforeAll(async () => {
  dns = await startChallengeDns(peers);
});
afterAll(() => peers.stop());

describe('Pebble', () => {
  let pebble: Pebble;
  beforeAll(async () => {
    // certbot gives up when two nonces in a row are refused.
    pebble = await startPebble(peers, { dnsServer: dns.dnsServer, maxSleepSeconds: 1, nonceRejectPercent: 0 });
  });

  it('gives lego a certificate', async () => {
    const names = ['lego.test', '*.lego.test'];
    const obtained = await new Lego(peers, { ...pebble, dns }).obtain({ names });
    const judged = await judge(peers, obtained, await pebble.roots());
    expect(judged).toMatchObject({ verdict: 'OK', keyFits: true, names: names.toSorted() });
    await expect(pebble.certificateStatus(judged.serial)).resolves.toMatchObject({ Status: 'Valid' });
  });

  it('gives certbot a certificate', async () => {
    const names = ['certbot.test', '*.certbot.test'];
    const obtained = await new Certbot(peers, { ...pebble, dns }).obtain({ names });
    const judged = await judge(peers, obtained, await pebble.roots());
    expect(judged).toMatchObject({ verdict: 'OK', keyFits: true, names: names.toSorted() });
  });
});

describe('step-ca', () => {
  let stepCa: StepCa;
  beforeAll(async () => {
    stepCa = await startStepCa(peers, dns);
  });

  it('gives lego a certificate', async () => {
    const lego = new Lego(peers, { ...stepCa, caFile: stepCa.rootFile, dns });
    const obtained = await lego.obtain({ names: ['lego.test'] });
    const judged = await judge(peers, obtained, [readFileSync(stepCa.rootFile, 'utf8')]);
    expect(judged).toMatchObject({ verdict: 'OK', keyFits: true, names: ['lego.test'] });
  });
});
