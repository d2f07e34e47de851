import type { Identity, Properties } from '../template/identity.ts';

/** A resource of the template with every reference in it resolved. */
export interface Resource extends Identity {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
  /** `Delete`, or anything else for what outlives its stack. */
  readonly deletionPolicy: string;
}

/** How one resource type lives. `apply` both creates and updates; what it answers replaces the computed identity. */
export interface ResourceKind {
  /** An `apply` that failed may have had effects all the same, so a roll-back includes it. */
  readonly failsHalfway?: true;
  apply(next: Resource, previous: Resource | undefined): Promise<Identity | void> | Identity | void;
  remove(resource: Resource): Promise<void> | void;
}
