import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Programs } from '../test/e2e/host/programs.ts';
import { installPeers } from '../test/peers/install/install.ts';
import { Peers } from '../test/peers/peers.ts';
import { startChallengeDns } from '../test/peers/servers/challenge-dns.ts';
import { type Pebble, type PebbleOptions, startPebble } from '../test/peers/servers/pebble.ts';
import { toEnvironment } from '../test/peers/settings.ts';
import { type Cost, type Measured, NodeClient, ProgramClient } from './acme/clients.ts';

/**
 * What one certificate costs, and a fleet of them, by our adapter and by other ACME clients, on the same Pebble in the same run:
 *
 *   node bench/acme.ts            everything, some five minutes
 *   node bench/acme.ts --quick    a tenth of the fleet
 *
 * Pebble takes every challenge for answered, refuses no nonce and names no Retry-After, so that what is measured is the client.
 * lego and certbot are a process a certificate, as they are run; the Node clients a process a fleet.
 */
const QUICK = process.argv.includes('--quick');
const FLEET = QUICK ? 50 : 500;
/** Programs take seconds each: so many are enough to see. */
const FLEET_OF_PROGRAMS = QUICK ? 4 : 24;
const WARM = QUICK ? 3 : 10;

const PLAIN: PebbleOptions = {
  alwaysValid: true,
  noSleep: true,
  nonceRejectPercent: 0,
  authzReusePercent: 0,
  retryAfter: { authz: 0, order: 0 },
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const requestsIn = ({ log }: Pebble): number => log().match(/ -> calling handler/g)?.length ?? 0;

async function main(peers: Peers): Promise<void> {
  const dns = await startChallengeDns(peers);
  const clientsOf = (pebble: Pebble): readonly Measured[] => {
    const options = { directoryUrl: pebble.directoryUrl, caFile: pebble.caFile, dns, hook: '/bin/true' };
    return [
      new NodeClient('everleaf', options),
      new NodeClient('auto', options),
      new ProgramClient('lego', options),
      new ProgramClient('certbot', options),
    ];
  };

  const scenarios: readonly [
    string,
    PebbleOptions,
    (client: Measured, count: number) => Promise<Cost>,
    'once' | 'each',
  ][] = [
    ['cold account', PLAIN, (client) => client.cold(), 'once'],
    ['warm, new authorization', PLAIN, (client, count) => client.warm(count), 'each'],
    [
      'warm, valid authorization',
      { ...PLAIN, authzReusePercent: 100 },
      (client, count) => client.warm(count, `${client.name.replaceAll(' ', '-')}.test`),
      'each',
    ],
    [
      'warm, validated after 0 to 1 s',
      { ...PLAIN, noSleep: false, maxSleepSeconds: 2 },
      (client, count) => client.warm(count),
      'each',
    ],
  ];
  say('One certificate with one name\n');
  say(row('', 'client', 'requests', 'wall', 'CPU', 'memory'));
  for (const [what, options, run, how] of scenarios) {
    const pebble = await startPebble(peers, options);
    for (const client of clientsOf(pebble)) {
      const count = how === 'once' ? 1 : WARM;
      const before = requestsIn(pebble);
      const cost = await run(client, count);
      // A warm client made one more certificate, to become so: its first requests are those of a cold account.
      const requests = how === 'once' ? requestsIn(pebble) - before : await marginal(pebble, client, run, before);
      say(
        row(
          what,
          client.name,
          requests.toFixed(1),
          `${(cost.seconds * 1_000).toFixed(0)} ms`,
          `${cost.cpuMs.toFixed(0)} ms`,
          `${cost.peakMiB.toFixed(0)} MiB`,
        ),
      );
    }
    await pebble.stop();
  }

  say(`\nA fleet of new names on a warm account (${FLEET} certificates; by programs, ${FLEET_OF_PROGRAMS})\n`);
  say(row('at once', 'client', 'each second', 'requests', 'CPU', 'memory'));
  for (const atOnce of [1, 8, 32]) {
    for (const [index, name] of ['everleaf', 'acme-client auto', 'lego', 'certbot'].entries()) {
      // Its writes go to one folder at a time: certbot locks it, and starts in seconds.
      if (name === 'certbot' && atOnce > 1) continue;
      const pebble = await startPebble(peers, PLAIN);
      const client = clientsOf(pebble)[index];
      if (client === undefined) throw new Error(`there is no ${name}`);
      const count = index < 2 ? FLEET : FLEET_OF_PROGRAMS;
      const { seconds, cpuMs, peakMiB } = await client.fleet(count, atOnce);
      const warming = index < 2 ? 1 : atOnce;
      const requests = requestsIn(pebble) / (count + warming);
      say(
        row(
          String(atOnce),
          name,
          (count / seconds).toFixed(1),
          requests.toFixed(1),
          `${(cpuMs / count).toFixed(1)} ms`,
          `${peakMiB.toFixed(0)} MiB`,
        ),
      );
      await pebble.stop();
    }
  }
}

/** Requests that `count` more certificates take than fewer do: what it took to be warm falls out. */
async function marginal(
  pebble: Pebble,
  client: Measured,
  run: (client: Measured, count: number) => Promise<Cost>,
  before: number,
): Promise<number> {
  const many = requestsIn(pebble) - before;
  const between = requestsIn(pebble);
  const fewer = Math.max(2, Math.floor(WARM / 2));
  await run(client, fewer);
  return (many - (requestsIn(pebble) - between)) / (WARM - fewer);
}

function row(...cells: readonly string[]): string {
  const widths = [32, 18, 12, 10, 10, 10];
  return cells
    .map((cell, index) => (index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
    .join(' ');
}

const programs = new Programs();
const folder = mkdtempSync(join(tmpdir(), 'everleaf-bench-acme-'));
const settings = { folder, programs: await installPeers(programs, say) };
Object.assign(process.env, toEnvironment(settings));
const peers = new Peers(settings);
try {
  await main(peers);
} finally {
  await peers.stop();
  await programs.stopAll();
  rmSync(folder, { recursive: true, force: true });
}
