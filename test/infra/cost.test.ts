import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateId } from '../../functions/core/certificate.ts';
import { METRICS } from '../../functions/core/metrics.ts';
import { HISTORY_LIMIT } from '../../functions/core/record.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../functions/core/time.ts';
import { SURVEY_PERIOD } from '../../lib/survey.ts';
import {
  ACM_PCA_RENEWAL,
  ACME_LOOK,
  ACME_RENEWAL,
  type Counted,
  IDLE_TICK,
  RECORD_BYTES,
  RESOURCES,
  STANDING_BYTES,
  SURVEY,
} from '../../tools/cost/counted.ts';
import { withCosts } from '../../tools/cost/page.ts';
import {
  type AcmeDeployment,
  acmeIssuerYaml,
  deployWithAcme,
  documents,
  publicCertificateYaml,
} from '../support/acme-deployment.ts';
import { CapacityMeter } from '../support/capacity.ts';
import { certificateYaml, manifestOf } from '../support/deployment.ts';
import { synthesizeTemplate, WITHOUT_HOOKS } from '../support/synthesis.ts';

/** What is stated, where what was counted is within a tenth of it, or two: a record more or less may fill one unit more. */
const about = (counted: number, stated: number): number =>
  Math.abs(counted - stated) <= Math.max(stated / 10, 2) ? stated : counted;

/** Sizes are about what is stated; calls are exact. */
const sized = (counted: Counted, stated: Counted): Counted => ({
  calls: counted.calls,
  readUnits: about(counted.readUnits, stated.readUnits),
  writeUnits: about(counted.writeUnits, stated.writeUnits),
  logBytes: about(counted.logBytes, stated.logBytes),
});

describe('what a deployment does, as tools/cost/counted.ts states it', () => {
  const meter = new CapacityMeter();
  let deployment: AcmeDeployment;

  /** What `functions` do while `act` runs, but for what they would have done anyway. */
  async function count(functions: readonly string[], act: () => Promise<void>, anyway?: Counted): Promise<Counted> {
    const { calls, logs } = deployment.twin;
    const [callsBefore, logsBefore] = [calls.length, logs.length];
    meter.consumed.clear();
    await act();
    const isTheirs = (logicalId: string): boolean => functions.some((name) => logicalId.includes(name));
    const counted: Record<string, number> = {};
    for (const { service, operation, principal } of calls.slice(callsBefore)) {
      const key = `${service} ${operation}`;
      if (isTheirs(principal)) counted[key] = (counted[key] ?? 0) + 1;
    }
    for (const [key, times] of Object.entries(anyway?.calls ?? {})) counted[key] = (counted[key] ?? 0) - times;
    const units = [...meter.consumed].filter(([principal]) => isTheirs(principal)).map(([, each]) => each);
    const lines = logs.slice(logsBefore).filter((entry) => isTheirs(entry.function));
    return {
      calls: Object.fromEntries(Object.entries(counted).filter(([, times]) => times !== 0)),
      readUnits: units.reduce((sum, each) => sum + each.readUnits, 0) - (anyway?.readUnits ?? 0),
      writeUnits: units.reduce((sum, each) => sum + each.writeUnits, 0) - (anyway?.writeUnits ?? 0),
      logBytes: lines.reduce((sum, { line }) => sum + Buffer.byteLength(line) + 1, 0) - (anyway?.logBytes ?? 0),
    };
  }

  async function fillTrail(name: string): Promise<void> {
    const { inventory } = deployment.operator;
    const stored = await inventory.read(`default/${name}` as CertificateId);
    if (stored === undefined) throw new Error(`${name} is not in the inventory`);
    const { history } = stored.value;
    const full = Array.from({ length: Math.ceil(HISTORY_LIMIT / history.length) }, () => history)
      .flat()
      .slice(-HISTORY_LIMIT);
    await inventory.write({ ...stored.value, history: full }, stored.revision);
  }

  beforeAll(async () => {
    deployment = await deployWithAcme({
      manifest: documents(manifestOf(certificateYaml('inner')), acmeIssuerYaml(), publicCertificateYaml('outer')),
    });
    deployment.twin.use(meter.middleware);
    await deployment.tick();
    for (const name of ['inner', 'outer']) await fillTrail(name);
  });
  afterAll(() => deployment.close());

  it('in a tick with nothing due', async () => {
    const counted = await count(['Detect'], deployment.tick);
    expect(sized(counted, IDLE_TICK)).toEqual(IDLE_TICK);
  });

  it('in a renewal from ACM PCA', async () => {
    await deployment.requestRenewal('inner');
    const counted = await count(['Detect', 'Issue'], deployment.tick, IDLE_TICK);
    expect(sized(counted, ACM_PCA_RENEWAL)).toEqual(ACM_PCA_RENEWAL);
    expect((await deployment.record('inner')).generation).toBe(2);
  });

  it('in a look at when an ACME CA would like to renew, and in a survey', async () => {
    const looked = await count(['Detect', 'Issue'], () => deployment.advance(6 * HOUR_MS + MINUTE_MS), IDLE_TICK);
    expect(sized(looked, ACME_LOOK)).toEqual(ACME_LOOK);
    const surveyed = await count(['Survey'], () => deployment.advance(SURVEY_PERIOD.toMilliseconds()));
    expect(sized(surveyed, SURVEY)).toEqual(SURVEY);
  });

  it('in a renewal from an ACME CA whose authorizations have run out', async () => {
    await deployment.advance(31 * DAY_MS);
    await deployment.requestRenewal('outer');
    const counted = await count(['Detect', 'Issue'], deployment.tick, IDLE_TICK);
    expect(sized(counted, ACME_RENEWAL)).toEqual(ACME_RENEWAL);
    expect((await deployment.record('outer')).generation).toBe(2);
  });

  it('and keeps of each certificate', () => {
    const { recordBytes, standingBytes } = meter.largest;
    expect(about(recordBytes, RECORD_BYTES)).toBe(RECORD_BYTES);
    expect(about(standingBytes, STANDING_BYTES)).toBe(STANDING_BYTES);
  });
});

it('the template has the alarms, metrics, keys and functions that tools/cost/counted.ts states', () => {
  const template = synthesizeTemplate(WITHOUT_HOOKS);
  const ofType = (type: string) => template.findResources(type) as Readonly<Record<string, Resource>>;
  const memoryMiB = Object.keys(RESOURCES.memoryMiB).map((name) => {
    const lambda = Object.entries(ofType('AWS::Lambda::Function')).find(([id]) => id.includes(`${name}Function`));
    return [name, lambda?.[1].Properties.MemorySize];
  });
  expect({
    alarms: Object.keys(ofType('AWS::CloudWatch::Alarm')).length,
    compositeAlarms: Object.keys(ofType('AWS::CloudWatch::CompositeAlarm')).length,
    customMetrics: Object.keys(METRICS).length,
    dashboards: Object.keys(ofType('AWS::CloudWatch::Dashboard')).length,
    keys: Object.keys(ofType('AWS::KMS::Key')).length,
    memoryMiB: Object.fromEntries(memoryMiB),
  }).toEqual(RESOURCES);
});

it('docs/cost.md has the tables that this makes (npm run cost -- --write)', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'cost.md'), 'utf8');
  expect(page).toBe(withCosts(page));
});

interface Resource {
  readonly Properties: { readonly MemorySize?: number };
}
