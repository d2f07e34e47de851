import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandsIn, readRunbook, runInShell } from '../../support/runbook.ts';
import type { Subscriber } from '../support/subscriber.ts';
import { HOOKS, STACK, type World } from '../support/world.ts';

/** Of the sample's hooks the one on EKS. MiniStack knows no ARNs of ECS: whatever is granted for one service it denies. */
const readHooks = (root: string): string =>
  readFileSync(join(root, 'certificates', HOOKS), 'utf8')
    .split('---\n')
    .filter((document) => document.includes('  eks:'))
    .join('---\n');

/** The emulator runs nothing that serves TLS: there is no cluster, and that is what is told. */
export function deploying(world: () => World, subscriber: () => Subscriber): void {
  describe('a deploy hook', () => {
    it('whose cluster is missing ends with an event that says so, and a certificate that is held', async () => {
      world().writeManifest(HOOKS, readHooks(world().settings.root));
      await world().deploy();
      const told = await subscriber().told('Certificate Deployment Failed', 'default/api', 'why it ended', () => true);
      expect(told).toMatchObject({
        outcome: 'halted',
        failure: { code: 'TargetMissing', target: 'eks:production/web/deployment/api' },
      });
      const { rollout } = await world().recordWhen('api', 'is held', ({ held }) => held !== undefined);
      expect(rollout?.state).toBe('halted');
    });

    const { preface, entries } = readRunbook();
    const setUp = preface.blocks.slice(0, 2).join('\n');
    const commands = new Set(entries.flatMap(({ blocks }) => blocks.flatMap(commandsIn)));
    const ofDeployments = [...commands].filter((command) => command.includes('Deployment'));
    it.each(ofDeployments)('has its functions looked at by %s', async (command) => {
      const ran = await runInShell(`${setUp}\n${command}`, { ...process.env, STACK });
      expect(ran).toMatchObject({ code: 0 });
    });
  });
}
