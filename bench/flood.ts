import { createHash, generateKeyPairSync } from 'node:crypto';
import { parseArgs } from 'node:util';
import { keyHandle } from '../functions/core/key-handle.ts';
import { SECOND_MS } from '../functions/core/time.ts';
import { buildCsr } from '../functions/core/x509/csr.ts';
import { aSpec } from '../test/support/builders.ts';
import {
  type AcmeDeployment,
  acmeIssuerYaml,
  deployWithAcme,
  documents,
  publicCertificateYaml,
} from '../test/support/acme-deployment.ts';
import { certificateYaml, manifestOf } from '../test/support/deployment.ts';

/**
 * How many certificates a second the whole pipeline takes from due to current, half of them from ACM PCA, half by ACME, all due at
 * once: detect, bus, queue, function, table, secrets, CA and DNS, on the twin, which takes its share of the same cores.
 *
 *   node bench/flood.ts [--certificates 1000] [--json]
 */

const { values } = parseArgs({
  options: { certificates: { type: 'string', default: '1000' }, json: { type: 'boolean', default: false } },
});
const count = Number(values.certificates);

interface Measured {
  readonly certificates: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly cpuMsEach: number;
  readonly awsCallsEach: number;
  readonly caRequestsEach: number;
  /** Resident memory of the whole process, workers included, after a tenth of them and at the end. */
  readonly earlyMiB: number;
  readonly lateMiB: number;
}

const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
};

const residentMiB = (): number => process.memoryUsage().rss / 2 ** 20;

/** Ticks until every certificate has the generation. A tick tells of 1,500 at the most, and of no more than budgets allow. */
async function flood(deployment: AcmeDeployment, generation: number): Promise<Measured> {
  const { twin, ca } = deployment;
  const [awsBefore, caBefore, cpuBefore, startedAt] = [
    twin.calls.length,
    ca.requests.length,
    process.cpuUsage(),
    performance.now(),
  ];
  let [done, earlyMiB] = [0, 0];
  const stop = twin.use(async (call, next) => {
    const answer = await next();
    if (call.operation === 'PutEvents' && call.principal.includes('Issue')) {
      done += (call.input['Entries'] as unknown[]).length;
      if (done >= count / 10 && earlyMiB === 0) earlyMiB = residentMiB();
    }
    return answer;
  });
  for (let left = count; left > 0;) {
    await deployment.tick();
    const records = await deployment.operator.records();
    left = records.filter((record) => record.generation < generation).length;
    if (left > 0) twin.clock.advance(60 * SECOND_MS);
  }
  stop();
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    certificates: count,
    seconds,
    perSecond: count / seconds,
    cpuMsEach: cpuMs(cpuBefore) / count,
    awsCallsEach: (twin.calls.length - awsBefore) / count,
    caRequestsEach: (2 * (ca.requests.length - caBefore)) / count,
    earlyMiB,
    lateMiB: residentMiB(),
  };
}

/** What cannot be saved: a key, a CSR, and the CA's signature, in the same process. */
async function floorMsEach(rounds = 200): Promise<number> {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const csr = await buildCsr(aSpec(), keyHandle(privateKey));
    await keyHandle(privateKey).sign(createHash('sha256').update(csr).digest());
  }
  return cpuMs(before) / rounds;
}

const half = (prefix: string): readonly string[] =>
  Array.from({ length: count / 2 }, (_, index) => `${prefix}${index}`);

const deployment = await deployWithAcme({
  manifest: documents(
    manifestOf(...half('p').map((name) => certificateYaml(name))),
    acmeIssuerYaml(),
    ...half('a').map((name) => publicCertificateYaml(name)),
  ),
});
try {
  const first = await flood(deployment, 1);
  for (const { id } of await deployment.operator.records()) {
    await deployment.operator.requestRenewal(id, 'bench', deployment.now());
  }
  const renewal = await flood(deployment, 2);
  const floor = await floorMsEach();
  if (values.json) process.stdout.write(`${JSON.stringify({ first, renewal, floorMsEach: floor }, undefined, 2)}\n`);
  else print({ 'first issuance': first, renewal }, floor);
} finally {
  await deployment.close();
}

function print(rows: Readonly<Record<string, Measured>>, floor: number): void {
  const line = (...cells: readonly string[]): void =>
    void process.stdout.write(`${cells.map((cell) => cell.padStart(16)).join('')}\n`);
  line(
    '',
    'certificates',
    'a second',
    'CPU each',
    'AWS calls each',
    'CA requests each',
    'memory at 10 %',
    'at the end',
  );
  for (const [name, each] of Object.entries(rows)) {
    line(
      name,
      String(each.certificates),
      each.perSecond.toFixed(1),
      `${each.cpuMsEach.toFixed(0)} ms`,
      each.awsCallsEach.toFixed(1),
      each.caRequestsEach.toFixed(1),
      `${each.earlyMiB.toFixed(0)} MiB`,
      `${each.lateMiB.toFixed(0)} MiB`,
    );
  }
  process.stdout.write(`A key, a CSR and a signature alone take ${floor.toFixed(1)} ms.\n`);
}
