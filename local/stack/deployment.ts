import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Account } from '../account.ts';
import type { S3 } from '../services/s3.ts';
import type { Assembly, Template } from '../template/assembly.ts';
import { kindOf, refuseUnknownTypes } from '../template/catalogue.ts';
import { identify, type Properties } from '../template/identity.ts';
import { creationOrder } from './order.ts';
import type { Resource, ResourceKind } from './resource.ts';
import { StackScope } from './scope.ts';

/** A step that may have to be undone. */
interface Change {
  readonly kind: ResourceKind;
  /** What was updated in place; undefined for what is new. */
  readonly previous: Resource | undefined;
  current: Resource;
}

/** One stack, created, updated, rolled back and destroyed in CloudFormation's order. */
export class Deployment {
  readonly #account: Account;
  readonly #kinds: ReadonlyMap<string, ResourceKind>;
  readonly #assets: S3;
  #resources: ReadonlyMap<string, Resource> = new Map();
  #outputs: Readonly<Record<string, string>> = {};

  constructor(account: Account, kinds: ReadonlyMap<string, ResourceKind>, assets: S3) {
    this.#account = account;
    this.#kinds = kinds;
    this.#assets = assets;
  }

  get resources(): ReadonlyMap<string, Resource> {
    return this.#resources;
  }

  get outputs(): Readonly<Record<string, string>> {
    return this.#outputs;
  }

  /** Creates the stack, or brings it to the new template. When a step fails, all is put back and the cause thrown. */
  async apply({ template, assets }: Assembly): Promise<void> {
    refuseUnknownTypes(template, new Set(this.#kinds.keys()));
    const next = new Map<string, Resource>();
    const scope = new StackScope(this.#account, template, next);
    for (const asset of assets) {
      const place = { bucket: { 'Fn::Sub': asset.bucket }, key: { 'Fn::Sub': asset.key } };
      this.#assets.add({ ...asset, ...(scope.resolve(place, asset.path) as typeof asset) });
    }
    const changes: Change[] = [];
    try {
      for (const logicalId of creationOrder(template)) {
        const resource = await this.#applyOne(template, logicalId, scope, changes);
        if (resource !== undefined) next.set(logicalId, resource);
      }
      this.#outputs = outputsOf(template, scope);
    } catch (error) {
      await rollBack(changes, error);
      throw error;
    }
    const before = this.#resources;
    this.#resources = next;
    await this.#remove(
      [...before.values()].filter(({ logicalId, physicalId }) => next.get(logicalId)?.physicalId !== physicalId),
    );
  }

  async destroy(): Promise<void> {
    const resources = [...this.#resources.values()];
    this.#resources = new Map();
    this.#outputs = {};
    await this.#remove(resources);
  }

  async #applyOne(
    template: Template,
    logicalId: string,
    scope: StackScope,
    changes: Change[],
  ): Promise<Resource | undefined> {
    const { Type, Properties, Condition, DeletionPolicy } = template.Resources[logicalId] ?? {};
    if (Type === undefined || (Condition !== undefined && !scope.condition(Condition))) return undefined;
    const properties = scope.resolve(Properties, `Resources.${logicalId}.Properties`) as Properties;
    const previous = this.#resources.get(logicalId);
    if (previous?.type === Type && isDeepStrictEqual(previous.properties, properties)) return previous;
    const identity = identify(Type, logicalId, properties, this.#account);
    const updated = previous?.type === Type && this.#keepsName(previous, identity.physicalId) ? previous : undefined;
    const { physicalId, attributes } = updated ?? identity;
    const resource = {
      logicalId,
      type: Type,
      properties,
      deletionPolicy: DeletionPolicy ?? 'Delete',
      physicalId,
      attributes,
    };
    const kind = this.#kinds.get(kindOf(Type));
    return kind === undefined ? resource : await applyChange({ kind, previous: updated, current: resource }, changes);
  }

  /** A template that asks for another name asks for another resource. */
  #keepsName({ type, logicalId, properties }: Resource, physicalId: string): boolean {
    return identify(type, logicalId, properties, this.#account).physicalId === physicalId;
  }

  async #remove(resources: readonly Resource[]): Promise<void> {
    for (const resource of resources.toReversed()) {
      const kind = this.#kinds.get(kindOf(resource.type));
      if (resource.deletionPolicy === 'Delete') await kind?.remove(resource);
    }
  }
}

async function applyChange(change: Change, changes: Change[]): Promise<Resource> {
  const { kind, previous, current } = change;
  if (kind.failsHalfway === true) changes.push(change);
  try {
    change.current = { ...current, ...(await kind.apply(current, previous)) };
  } catch (error) {
    const reason =
      error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : error;
    throw new Error(`${current.logicalId} (${current.type}): ${String(reason)}`, { cause: error });
  }
  if (kind.failsHalfway !== true) changes.push(change);
  return change.current;
}

/** Updates are taken back first and in their own order, as CloudFormation does: old code handles its own resources. */
async function rollBack(changes: readonly Change[], cause: unknown): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (step: () => unknown): Promise<void> => {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  };
  for (const { kind, previous, current } of changes) {
    if (previous !== undefined) await attempt(() => kind.apply(previous, current));
  }
  for (const { kind, previous, current } of changes.toReversed()) {
    if (previous === undefined) await attempt(() => kind.remove(current));
  }
  if (failures.length > 0)
    throw new AggregateError([cause, ...failures], `the roll-back failed after: ${String(cause)}`);
}

function outputsOf({ Outputs }: Template, scope: StackScope): Record<string, string> {
  const present = Object.entries(Outputs).filter(
    ([, { Condition }]) => Condition === undefined || scope.condition(Condition),
  );
  return Object.fromEntries(
    present.map(([name, { Value }]) => [name, String(scope.resolve(Value, `Outputs.${name}`))]),
  );
}
