import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../functions/core/time.ts';
import { dueReason } from '../../../functions/core/decide.ts';
import type { CertificateRecord } from '../../../functions/core/record.ts';
import { AlarmBoard, type DataPoint } from '../../support/alarms/board.ts';
import { readEmf } from '../../support/alarms/measurements.ts';
import { readAlarms } from '../../support/alarms/template-alarms.ts';
import { commandsIn, readRunbook, runInShell } from '../../support/runbook.ts';
import { eventually } from '../support/eventually.ts';
import { STACK, type World } from '../support/world.ts';

/** How long ago `shop` is made out to have been issued: it was due after 60 of its 90 days. */
const AGE_MS = 76 * DAY_MS;

const OF_SURVEYS: ReadonlySet<string> = new Set(['RenewalTimeLeft', 'CertificatesExpired', 'CertificatesBlocked']);

const LOGS = [
  'EverleafDetectionDetectLogs',
  'EverleafIssuanceIssueLogs',
  'EverleafManifestSyncLogs',
  'EverleafSurveyLogs',
];

/** What people are for: alarms, and what they type. */
export function operations(world: () => World): void {
  let board: AlarmBoard;
  beforeAll(async () => {
    // MiniStack makes no metrics of what functions log, and knows no composite alarm: the template says what would ring.
    const template = JSON.parse(
      readFileSync(join(await world().synthesized(), `${STACK}.template.json`), 'utf8'),
    ) as Parameters<typeof readAlarms>[0];
    board = new AlarmBoard(readAlarms(template, (logicalId) => world().resources.get(logicalId) ?? logicalId));
  });

  /** The alarms that ring after another look at the fleet. */
  const ringing = async (since = 0): Promise<readonly string[]> => {
    await world().account.invoke(world().resource('EverleafSurveyFunction'), {});
    const lines = await Promise.all(LOGS.map((logs) => world().account.logLines(world().resource(logs))));
    const surveyed = ({ at, metric }: DataPoint): boolean => at >= since || !OF_SURVEYS.has(metric);
    return board.lookAt(lines.flat().flatMap(readEmf).filter(surveyed), Date.now());
  };
  const inShell = (commands: string) => runInShell(commands, { ...process.env, STACK });

  describe('a bad night', () => {
    it('begins with a CA that refuses, and a certificate that nears its end: the page rings', async () => {
      await growOld(world(), 'shop', AGE_MS);
      world().privateCa.refuses = true;
      const alarms = await eventually('the page rings', async () => {
        await world().tick();
        const names = await ringing();
        return names.includes('Page') ? names : undefined;
      });
      expect(alarms).toEqual(expect.arrayContaining(['CertificateBlocked', 'ExpiryNear', 'Page']));
    });

    it('ends by the lines of the runbook alone: the certificate is renewed, and the page falls silent', async () => {
      const [looking = '', renewing = ''] =
        readRunbook().entries.find(({ anchor }) => anchor === 'expiry-near')?.blocks ?? [];
      expect((await inShell(looking)).stdout).toMatch(/^default\/shop +blocked .*Refused/m);
      const { generation: before } = await world().record('shop');
      world().privateCa.refuses = false;
      expect(await inShell(renewing)).toMatchObject({ code: 0 });
      await world().tick();
      const { failures, generation } = await world().recordWhen('shop', 'is renewed', (record) => !isDue(record));
      expect(failures.count).toBe(0);
      expect(generation).toBe(before + 1);
      // The worst of the last five minutes counts: from here on it is what this look finds.
      expect(await ringing(Date.now())).not.toContain('Page');
    });
  });

  describe('the runbook', () => {
    const { preface, entries } = readRunbook();
    const setUp = preface.blocks.slice(0, 2).join('\n');
    const all = [preface, ...entries].flatMap(({ blocks }) => blocks.flatMap(commandsIn));
    // One that stands in several entries is typed once. Those of deployments need a manifest with hooks: deploying.ts.
    const commands = [...new Set(all)].filter((command) => !command.includes('Deployment'));
    it.concurrent.each(commands)('%s', async (command) => {
      const { code, stderr } = await inShell(`${setUp}\n${command}`);
      // The command ends with 1 where it has findings.
      expect({ stderr, code }).toMatchObject({
        code: command.startsWith('npx everleaf') ? expect.toBeOneOf([0, 1]) : 0,
      });
    });
  });
}

const isDue = (record: CertificateRecord): boolean => dueReason(record, Date.now()) !== undefined;

/** MiniStack lives by wall time: the ledger is made out to be about a certificate that was issued so long ago. */
async function growOld({ operator }: World, name: string, ageMs: number): Promise<void> {
  const stored = await operator.inventory.read(`default/${name}` as CertificateRecord['id']);
  if (stored?.value.current === undefined) throw new Error(`${name} is not issued`);
  const { current } = stored.value;
  const leaf = { ...current.leaf, notBefore: current.leaf.notBefore - ageMs, notAfter: current.leaf.notAfter - ageMs };
  const old = { ...stored.value, current: { ...current, leaf, issuedAt: current.issuedAt - ageMs } };
  await operator.inventory.write(old, stored.revision);
}
