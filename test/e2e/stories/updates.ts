import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { certificateYaml, FAULTY_YAML } from '../support/manifests.ts';
import type { World } from '../support/world.ts';

/** Deploys that must change nothing. */
export function changingNothing(world: () => World): void {
  const specs = async () => (await world().operator.records()).map(({ spec }) => spec);

  describe('another deploy', () => {
    it('of the same says that there are no changes', async () => {
      world().synthesizeAgain();
      expect(await world().deploy()).toContain('(no changes)');
    });

    it('of a faulty manifest stops before anything is deployed, and names file and line', async () => {
      const before = await specs();
      world().writeManifest('faulty.yaml', FAULTY_YAML);
      // The checkout's own app, for those who have no other, says it without a stack trace.
      const { code, output } = await world().cdk.runIn(
        world().settings.root,
        'deploy',
        '--context',
        `manifest=${world().manifest}`,
        '--require-approval',
        'never',
      );
      world().removeManifest('faulty.yaml');
      expect(code).not.toBe(0);
      expect(output).toContain(`${join(world().manifest, 'faulty.yaml')}:5:`);
      expect(output).not.toMatch(/^\s+at /m);
      expect(await specs()).toEqual(before);
    });
  });
}

/** Deploys of another manifest. */
export function updates(world: () => World): void {
  describe('a deploy of another manifest', () => {
    it('adds, changes and retires exactly what the manifest adds, changes and drops', async () => {
      const before = new Map((await world().operator.records()).map((record) => [record.id as string, record]));
      const issuedBefore = world().issued;
      world().writeManifest('added.yaml', certificateYaml('added'));
      const web = readFileSync(join(world().manifest, 'web.yaml'), 'utf8');
      world().writeManifest(
        'web.yaml',
        withoutDocument(web, 'metrics').replace('wiki.internal.example', 'handbook.internal.example'),
      );
      await world().deploy();
      await world().tick();
      await world().recordWhen('added', 'is issued', ({ generation }) => generation === 1);
      const wiki = await world().recordWhen('wiki', 'is issued for its new name', ({ generation }) => generation === 2);
      const metrics = await world().record('metrics');

      expect(wiki.spec.dnsNames).toEqual(['handbook.internal.example']);
      expect(metrics.retiredAt).toBeDefined();
      expect(metrics.current).toEqual(before.get('default/metrics')?.current);
      const others = (await world().operator.records()).filter(
        ({ id }) => !['added', 'wiki', 'metrics'].includes(id.split('/')[1] ?? ''),
      );
      expect(others).toEqual(others.map(({ id }) => before.get(id)));
      expect(world().issued).toBe(issuedBefore + 2);
    });

    it('leaves the secret of a retired certificate as it is', async () => {
      const { current } = await world().record('metrics');
      expect((await world().account.bundle('Everleaf/metrics-tls')).version).toBe(current?.version);
    });

    it('that fails half-way is rolled back, and the older manifest is in force again', async () => {
      const before = await world().operator.records();
      const payments = readFileSync(join(world().manifest, 'payments.yaml'), 'utf8');
      world().writeManifest('half-way.yaml', certificateYaml('half-way'));
      world().writeManifest('payments.yaml', withoutDocument(payments, 'orders'));
      const failing = world().deploy((template) => {
        const sync = Object.keys(template.Resources).find(
          (id) => template.Resources[id]?.Type === 'Custom::EverleafManifest',
        );
        template.Resources['Failing'] = {
          Type: 'AWS::SQS::Queue',
          Properties: { MessageRetentionPeriod: 1 },
          DependsOn: sync ?? '',
        };
      });
      await expect(failing).rejects.toThrow(/UPDATE_FAILED.*MessageRetentionPeriod/s);
      world().removeManifest('half-way.yaml');
      world().writeManifest('payments.yaml', payments);

      const orders = await world().record('payments/orders');
      expect(orders.history.map(({ event }) => event).slice(-2)).toEqual(['Retired', 'Reinstated']);
      expect((await world().record('half-way')).retiredAt).toBeDefined();
      const after = (await world().operator.records()).filter(({ id }) => id !== 'default/half-way');
      expect(after.map(({ id, spec, retiredAt }) => ({ id, spec, retired: retiredAt !== undefined }))).toEqual(
        before.map(({ id, spec, retiredAt }) => ({ id, spec, retired: retiredAt !== undefined })),
      );
    });
  });
}

/** A file of several documents, less the one that names `name`. */
const withoutDocument = (yaml: string, name: string): string =>
  yaml
    .split(/^---\n/m)
    .filter((document) => !document.includes(`name: ${name}\n`))
    .join('---\n');
