/** What an app that embeds Everleaf, or a subscriber to its bus, imports. */
export type { Alarms } from './alarms.ts';
export { Everleaf } from './everleaf.ts';
export type { EverleafProps } from './everleaf-props.ts';
export { CertificateReady, type ReadyOptions } from './readiness.ts';
export type { SubscriptionOptions } from './subscription.ts';
export { EverleafStack } from './everleaf-stack.ts';
export {
  type Announcement,
  type DeployedEvent,
  type DeploymentFailed,
  parseEvent,
  type RenewalFailed,
  type RenewalHint,
  type RevocationFailed,
  type Revoked,
  type RolledBack,
  type Rotated,
} from '../functions/core/events.ts';
