import { randomUUID } from 'node:crypto';
import type { CertificateSpec } from '../../functions/core/certificate.ts';
import { ConflictError, PermanentError } from '../../functions/core/errors.ts';
import { type DeployHookSpec, hookId, hookRefOf } from '../../functions/core/rollout/hook-spec.ts';
import type { DeployHook, DeployRequest, Instance, ProbeResult, Prober } from '../../functions/core/rollout/ports.ts';
import type { RolloutRecord } from '../../functions/core/rollout/record.ts';
import { MINUTE_MS } from '../../functions/core/time.ts';
import { deploy } from '../../functions/deploy/deploy.ts';
import type { DeployParts } from '../../functions/deploy/parts.ts';
import { aPolicy } from '../rollout/simulation.ts';
import { aSpec } from './builders.ts';
import { type Workshop, workshop } from './workshop.ts';

/** A service that reads what is current when it is deployed, and serves that until it is deployed again. */
export interface TestTarget {
  serves: string | undefined;
  /** Roll-out ids that were begun: repeats of one are one. */
  readonly begun: string[];
  /** What becomes of a deployment of this leaf. */
  fate: (sha256Fingerprint: string) => 'done' | 'undone' | 'stale';
  instances?: readonly Instance[];
  replacedAll: boolean;
}

/** The whole of a roll-out on in-memory ports, behind the whole of a renewal. */
export interface RolloutWorkshop extends Workshop {
  readonly deployParts: DeployParts;
  readonly targets: readonly TestTarget[];
  readonly hook: DeployHookSpec;
  /** Verdicts of the prober in place of what is served, by address. */
  readonly verdicts: Map<string, ProbeResult['verdict']>;
  readonly probes: () => number;
  readonly deployOnce: (parts?: DeployParts) => Promise<void>;
  /** A minute passes, and whoever is hinted at works: so often, or until nothing is due. */
  readonly minutes: (limit: number, parts?: DeployParts) => Promise<void>;
  readonly rollout: () => Promise<RolloutRecord>;
  readonly currentFingerprint: () => string;
}

export async function rolloutWorkshop(
  options: {
    readonly targets?: number;
    readonly policy?: Parameters<typeof aPolicy>[0];
    readonly endpoints?: DeployHookSpec['endpoints'];
  } = {},
): Promise<RolloutWorkshop> {
  const { targets: count = 3, endpoints = [{ host: 'orders.internal.example', port: 443 }] } = options;
  const hook: DeployHookSpec = {
    ...aPolicy(options.policy),
    id: hookId.parse('payments/orders-ecs'),
    plugin: 'test',
    targets: Array.from({ length: count }, (_, index) => ({ name: `test:orders-${index}`, options: index })),
    endpoints: [...endpoints],
  };
  const spec: CertificateSpec = aSpec({ hooks: [hookRefOf(hook)] });
  const shop = await workshop(spec);
  await shop.inventory.writeHook(hook);
  const slot = { certificate: spec.id, secretName: spec.secretName };
  const currentFingerprint = (): string => shop.store.served(slot)?.provenance.leaf.sha256Fingerprint ?? 'nothing';
  const targets = Array.from({ length: count }, (): TestTarget => ({
    serves: undefined,
    begun: [],
    fate: () => 'done',
    replacedAll: true,
  }));

  const hookFor = (target: TestTarget): DeployHook => {
    const look = ({ release, rolloutId }: DeployRequest): { replacedAll: boolean; instances?: readonly Instance[] } => {
      const fate = target.fate(release.sha256Fingerprint);
      if (fate === 'undone') throw new PermanentError('DeploymentUndone', `${rolloutId} was taken back`);
      if (fate === 'done') target.serves = currentFingerprint();
      const { replacedAll, instances } = target;
      return { replacedAll, ...(instances === undefined ? {} : { instances }) };
    };
    return {
      start: async ({ rolloutId }) => {
        if (!target.begun.includes(rolloutId)) target.begun.push(rolloutId);
        return { status: 'waiting', ticket: { rolloutId }, checkAfterSeconds: 20 };
      },
      check: async (request) => ({ status: 'done', value: look(request) }),
    };
  };

  let probes = 0;
  const verdicts = new Map<string, ProbeResult['verdict']>();
  const prober: Prober = {
    probe: async (endpoint, { sha256Fingerprint }) => {
      // A name leads to every target, an address to the one of that number.
      const behind = targets.map(({ serves }, index) => ({ serves, address: `10.0.0.${index}` }));
      const asked = behind.filter(({ address }) => endpoint.host === address || !/^\d/.test(endpoint.host));
      probes += asked.length;
      return asked.map(({ serves, address }) => ({
        endpoint,
        address,
        verdict: verdicts.get(address) ?? (serves === sha256Fingerprint ? 'served' : 'otherLeaf'),
        ...(serves === undefined ? {} : { sha256Fingerprint: serves }),
        detail: 'as the test has it',
      }));
    },
  };

  const { inventory, bus, hints, clock, log } = shop.parts;
  const own: DeployParts = {
    inventory,
    versions: shop.store,
    bus,
    hints,
    connect: async (_plugin, index) => {
      const target = targets[Number(index)];
      if (target === undefined) throw new Error('no such target');
      return hookFor(target);
    },
    prober,
    clock,
    log,
  };
  const deployOnce = async (parts = own): Promise<void> => {
    const shift = { owner: randomUUID(), leaseMs: 2 * MINUTE_MS, deadline: clock() + MINUTE_MS };
    try {
      await deploy(spec.id, parts, shift);
    } catch (error) {
      // As the handler has it: somebody else has it in hand, and the schedule looks again.
      if (!(error instanceof ConflictError)) throw error;
    }
  };
  return {
    ...shop,
    deployParts: own,
    targets,
    hook,
    verdicts,
    probes: () => probes,
    deployOnce,
    minutes: async (limit, parts = own) => {
      for (let minute = 0; minute < limit; minute++) {
        shop.pass(MINUTE_MS);
        for await (const { rollout } of inventory.due(clock(), 10)) {
          await (rollout === true ? deployOnce(parts) : shop.work());
        }
      }
    },
    rollout: async () => {
      const stored = await inventory.readRollout(spec.id);
      if (stored === undefined) throw new Error('there is no roll-out');
      return stored.value;
    },
    currentFingerprint,
  };
}
