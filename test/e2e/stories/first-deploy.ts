import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plan } from '../../../bin/commands/plan.ts';
import { Sink } from '../../support/sink.ts';
import { CORRECTED, LEFT_OUT, REDIRECTED } from '../adaptations.ts';
import { eventually } from '../support/eventually.ts';
import type { Subscriber } from '../support/subscriber.ts';
import { isAtRest, isPublic, STACK, type World } from '../support/world.ts';

/** Certificates of the sample manifest. */
const SAMPLES = 9;

/** Brings the app up, and needs nothing of it yet. */
export function deployedAsItIs(world: () => World, subscribe: () => void): void {
  describe('the first deploy', () => {
    it('brings the whole app up from the sample manifest', async () => {
      const output = await world().deploy();
      expect(output).toContain(`✅  ${STACK}`);
    });

    it('leaves out of the template exactly what is listed', () => {
      expect(world().leftOut).toEqual(new Set(LEFT_OUT.map(({ type }) => type)));
    });

    it('leads the ACME issuers of the sample to another CA, in exactly the fields that are listed', () => {
      expect(world().redirected).toEqual(new Set(REDIRECTED.map(({ field }) => field)));
    });

    it('runs on an emulator that is corrected in exactly what is listed', () => {
      const log = readFileSync(world().settings.logFile, 'utf8');
      const corrected = [...log.matchAll(/^corrected: (.*)$/gm)].map(([, what]) => what);
      expect(new Set(corrected)).toEqual(new Set(CORRECTED.map(({ departure }) => departure)));
    });

    it("is the README's own code, from the installed tarball, which lies in no checkout", () => {
      const { root } = world().settings;
      const readme = readFileSync(join(root, 'README.md'), 'utf8');
      expect(readme).toContain(`\`\`\`ts\n${readFileSync(join(world().project, 'app.ts'), 'utf8')}\`\`\``);
      expect(realpathSync(join(world().project, 'node_modules', 'everleaf'))).not.toContain(root);
    });

    it('tells the app where its queue is', () => {
      subscribe();
      expect(world().outputs['HappeningsUrl']).toContain('Happenings');
    });
  });
}

/** The certificates of the sample manifest, from nothing to a second version. */
export function issuance(world: () => World, subscriber: () => Subscriber): void {
  describe('issuance', () => {
    it('is started by the schedule alone, for every declared certificate', async () => {
      const records = await eventually('every certificate is issued', async () => {
        const all = await world().operator.records();
        return all.every((record) => record.generation === 1 && isAtRest(record)) ? all : undefined;
      });
      expect(records).toHaveLength(SAMPLES);
      expect(world().publicCa.issued).toHaveLength(records.filter(isPublic).length);
      expect(world().issued).toBe(SAMPLES);
    });

    it('leaves each secret with one current version, none pending, tagged with its deployment and certificate', async () => {
      for (const record of await world().operator.records()) {
        const { VersionIdsToStages = {}, Tags } = await world().account.describeSecret(world().secretOf(record));
        expect(VersionIdsToStages[record.current?.version ?? '']).toEqual(['AWSCURRENT']);
        expect(Object.values(VersionIdsToStages).flat()).not.toContain('AWSPENDING');
        expect(Tags).toEqual([
          { Key: 'everleaf:deployment', Value: STACK },
          { Key: 'everleaf:certificate', Value: record.id },
        ]);
      }
    });

    it('leaves a plan of the same manifest nothing to do, read off the stack by its name', async () => {
      const stdout = new Sink();
      const code = await plan(world().manifest, { stack: STACK, json: true }, { stdout, stderr: new Sink() });
      const { changes } = JSON.parse(stdout.text) as { changes: { action: string }[] };
      expect(code).toBe(0);
      expect(new Set(changes.map(({ action }) => action))).toEqual(new Set(['leave']));
    });

    it('stores chains, names and keys that the openssl command accepts', async () => {
      for (const record of await world().operator.records()) {
        const verified = await world().verify(record);
        expect(verified).toMatchObject({ verdict: 'leaf: OK', keyFits: true });
        for (const name of record.spec.dnsNames) expect(verified.subjectAltName).toContain(`DNS:${name}`);
      }
    });

    it("tells the app's queue of each rotation", async () => {
      for (const { id, current } of await world().operator.records()) {
        const told = await subscriber().told('Certificate Rotated', id, 'the rotation', () => true);
        const { serialNumber, sha256Fingerprint, notBefore, notAfter } = current?.leaf ?? {};
        expect(told).toMatchObject({
          generation: 1,
          reason: 'NotIssued',
          serialNumber,
          sha256Fingerprint,
          notBefore,
          notAfter,
          store: { version: current?.version },
        });
      }
    });

    it('is not repeated by a second tick', async () => {
      const before = await world().operator.records();
      expect(await world().tick()).toBe(0);
      expect(await world().operator.records()).toEqual(before);
      expect(world().issued).toBe(before.length);
    });

    it.each(['shop', 'site'])('rotates %s on request, and keeps the old version as AWSPREVIOUS', async (name) => {
      const old = await world().record(name);
      await world().requestRenewal(name);
      await world().tick();
      const renewed = await world().recordWhen(name, 'is renewed', ({ generation }) => generation === 2);
      const { VersionIdsToStages = {} } = await world().account.describeSecret(world().secretOf(renewed));
      expect(VersionIdsToStages).toEqual({
        [renewed.current?.version ?? '']: ['AWSCURRENT'],
        [old.current?.version ?? '']: ['AWSPREVIOUS'],
      });
      expect(await world().verify(renewed)).toMatchObject({ verdict: 'leaf: OK', keyFits: true });
      const told = await subscriber().told(
        'Certificate Rotated',
        renewed.id,
        'its second version',
        (detail) => detail.generation === 2,
      );
      expect(told.store).toMatchObject({ version: renewed.current?.version, previousVersion: old.current?.version });
      // One look at what is due led to all of it.
      expect(told.correlationId).toMatch(/^[\w-]{8,64}$/);
    });
  });
}
