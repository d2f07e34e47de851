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

type Scenario = readonly [
  what: string,
  options: PebbleOptions,
  run: (client: Measured, count: number) => Promise<Cost>,
  how: 'once' | 'each',
];

const SCENARIOS: readonly Scenario[] = [
  ['cold account', PLAIN, (client) => client.cold(), 'once'],
  ['warm, new authorization', PLAIN, (client, count) => client.warm(count), 'each'],
  [
    'warm, valid authorization',
    { ...PLAIN, authzReusePercent: 100 },
    (client, count) => client.warm(count, `${client.name.replaceAll(' ', '-')}.test`),
    'each',
  ],
  // Pebble's waits are whole seconds: none, or one.
  [
    'warm, validated after 0 or 1 s',
    { ...PLAIN, noSleep: false, maxSleepSeconds: 2 },
    (client, count) => client.warm(count),
    'each',
  ],
];

async function main(peers: Peers): Promise<void> {
  const dns = await startChallengeDns(peers);
  const clientsOf = ({ directoryUrl, caFile }: Pebble): readonly Measured[] => {
    const options = { directoryUrl, caFile, dns, hook: '/bin/true' };
    return [
      new NodeClient('everleaf', options),
      new NodeClient('auto', options),
      new ProgramClient('lego', options),
      new ProgramClient('certbot', options),
    ];
  };
  say('One certificate with one name\n');
  say(row('', 'client', 'requests', 'wall', 'CPU', 'memory'));
  for (const scenario of SCENARIOS) await oneCertificate(peers, clientsOf, scenario);

  say(`\nA fleet of new names on a warm account (${FLEET} certificates; by programs, ${FLEET_OF_PROGRAMS})\n`);
  say(row('at once', 'client', 'each second', 'requests', 'CPU', 'memory'));
  for (const atOnce of [1, 8, 32]) await fleets(peers, clientsOf, atOnce);
}

type ClientsOf = (pebble: Pebble) => readonly Measured[];

async function oneCertificate(peers: Peers, clientsOf: ClientsOf, [what, options, run, how]: Scenario): Promise<void> {
  const pebble = await startPebble(peers, options);
  for (const client of clientsOf(pebble)) {
    await report(what, client, async () => {
      const before = requestsIn(pebble);
      const cost = await run(client, how === 'once' ? 1 : WARM);
      const requests = how === 'once' ? requestsIn(pebble) - before : await marginal(pebble, client, run, before);
      return [
        requests.toFixed(1),
        `${(cost.seconds * 1_000).toFixed(0)} ms`,
        `${cost.cpuMs.toFixed(0)} ms`,
        mebibytes(cost),
      ];
    });
  }
  await pebble.stop();
}

async function fleets(peers: Peers, clientsOf: ClientsOf, atOnce: number): Promise<void> {
  for (const index of [0, 1, 2, 3]) {
    const pebble = await startPebble(peers, PLAIN);
    const client = clientsOf(pebble)[index];
    // certbot locks its folder, and starts in seconds: several at once would be that many machines.
    if (client !== undefined && !(client.name === 'certbot' && atOnce > 1)) {
      await report(String(atOnce), client, async () => {
        const isProgram = client instanceof ProgramClient;
        const count = isProgram ? FLEET_OF_PROGRAMS : FLEET;
        const cost = await client.fleet(count, atOnce);
        const requests = requestsIn(pebble) / (count + (isProgram ? atOnce : 1));
        return [
          (count / cost.seconds).toFixed(1),
          requests.toFixed(1),
          `${(cost.cpuMs / count).toFixed(1)} ms`,
          mebibytes(cost),
        ];
      });
    }
    await pebble.stop();
  }
}

/** A client that fails is a result as well. */
async function report(what: string, client: Measured, measure: () => Promise<readonly string[]>): Promise<void> {
  try {
    say(row(what, client.name, ...(await measure())));
  } catch (error) {
    say(row(what, client.name, `failed: ${String(error).split('\n').at(-1)?.slice(0, 200)}`));
  }
}

/** Requests for one more certificate: what it took to be warm falls out. */
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

const mebibytes = ({ peakMiB }: Cost): string => `${peakMiB.toFixed(0)} MiB`;

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
