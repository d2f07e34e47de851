import { describe, expect, it } from 'vitest';
import { doctor } from '../../../bin/commands/doctor.ts';
import { history } from '../../../bin/commands/history.ts';
import { renew } from '../../../bin/commands/renew.ts';
import { status } from '../../../bin/commands/status.ts';
import type { Terminal } from '../../../bin/terminal.ts';
import { Sink } from '../../support/sink.ts';
import { STACK, type World } from '../support/world.ts';

const NEVER = new AbortController().signal;
const OPTIONS = { stack: STACK, json: true } as const;

/** What the operator's command makes of an account that is not the twin. */
export function operating(world: () => World): void {
  describe('the operator’s command', () => {
    const run = async (command: (io: Terminal) => Promise<number>): Promise<{ code: number; printed: string }> => {
      const [stdout, stderr] = [new Sink(), new Sink()];
      return { code: await command({ stdout, stderr }), printed: stdout.text };
    };

    it('shows how certificates stand', async () => {
      const { printed } = await run((io) => status({ ...OPTIONS, names: [], watch: false, signal: NEVER }, io));
      const { certificates } = JSON.parse(printed) as { certificates: { name: string; state: string }[] };
      expect(certificates.find(({ name }) => name === 'default/wiki')).toMatchObject({ state: 'current' });
      const records = await world().operator.records();
      expect(certificates.map(({ name }) => name)).toEqual(records.map(({ id }) => id));
    });

    it('asks for a renewal, which comes about, and knows who asked', async () => {
      const { generation } = await world().record('wiki');
      const options = { dryRun: false, yes: true, wait: false, timeout: '1m', signal: NEVER };
      const { code } = await run((io) => renew({ ...OPTIONS, ...options, names: ['wiki'] }, io));
      expect(code).toBe(0);
      await world().tick();
      await world().recordWhen('wiki', 'is renewed', (record) => record.generation === generation + 1);
      const { printed } = await run((io) => history('wiki', OPTIONS, io));
      const { transitions } = JSON.parse(printed) as { transitions: { event: string; actor: string }[] };
      expect(transitions.find(({ event }) => event === 'RenewalRequested')?.actor).toMatch(/^arn:aws:/);
    });

    it('examines the account', async () => {
      const { printed } = await run((io) => doctor(undefined, OPTIONS, io));
      const { findings } = JSON.parse(printed) as { findings: { check: string; verdict: string; message: string }[] };
      const ofTheAccount = ['credentials', 'clock', 'writing', 'stack', 'table', 'rule', 'queue'];
      const wrong = findings.filter(({ check, verdict }) => ofTheAccount.includes(check) && verdict !== 'fine');
      expect(wrong).toEqual([]);
      expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(ofTheAccount));
    });
  });
}
