/** How a service is brought to a version: restarted, to read the secret itself; or given a task definition that names the version. */
export const STRATEGIES = ['ForceNewDeployment', 'PinVersion'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** One service of `ecs` in a DeployHook. */
export interface EcsOptions {
  /** Its name, not its ARN. */
  readonly cluster: string;
  readonly service: string;
  readonly strategy: Strategy;
  /** Roles of the service's tasks, by ARN, that a new task definition may be given. Empty unless versions are pinned. */
  readonly passRoles: readonly string[];
  /** Where the cluster is. Absent: the function's own Region. */
  readonly region?: string;
  /** A role to assume before ECS is called, for a cluster in another account. */
  readonly role?: string;
}
