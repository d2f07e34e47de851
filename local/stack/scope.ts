import type { Account } from '../account.ts';
import type { Template } from '../template/assembly.ts';
import { stackIdOf } from '../template/identity.ts';
import { NO_VALUE, resolveIntrinsics, type Scope } from '../template/intrinsics.ts';
import type { Resource } from './resource.ts';

/** Answers a template's references from the resources that exist so far. */
export class StackScope implements Scope {
  readonly #template: Template;
  readonly #resources: ReadonlyMap<string, Resource>;
  readonly #pseudo: Readonly<Record<string, string | symbol>>;

  constructor(account: Account, template: Template, resources: ReadonlyMap<string, Resource>) {
    this.#template = template;
    this.#resources = resources;
    this.#pseudo = {
      'AWS::AccountId': account.accountId,
      'AWS::Region': account.region,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': account.stackName,
      'AWS::StackId': stackIdOf(account),
      'AWS::NoValue': NO_VALUE,
    };
  }

  resolve(value: unknown, at: string): unknown {
    return resolveIntrinsics(value, this, at);
  }

  ref(logicalId: string): unknown {
    const known = this.#pseudo[logicalId] ?? this.#resources.get(logicalId)?.physicalId;
    const value = known ?? this.#template.Parameters[logicalId]?.Default;
    if (value === undefined) throw new Error(`Ref ${logicalId}: no such resource, and no parameter with a default`);
    return value;
  }

  attribute(logicalId: string, name: string): unknown {
    const resource = this.#resources.get(logicalId);
    const value = resource?.attributes[name];
    if (value === undefined)
      throw new Error(`${logicalId} (${resource?.type ?? 'no resource'}) has no attribute ${name}`);
    return value;
  }

  condition(name: string): boolean {
    const expression = this.#template.Conditions[name];
    if (expression === undefined) throw new Error(`there is no condition ${name}`);
    return this.resolve(expression, `Conditions.${name}`) === true;
  }

  mapping(name: string, first: string, second: string): unknown {
    const value = this.#template.Mappings[name]?.[first]?.[second];
    if (value === undefined) throw new Error(`the mapping ${name} has nothing at ${first}, ${second}`);
    return value;
  }
}
