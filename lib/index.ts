/** What an app that embeds Everleaf, or a subscriber to its bus, imports. */
export { Everleaf, type EverleafProps } from './everleaf.ts';
export { EverleafStack } from './everleaf-stack.ts';
export {
  type Announcement,
  parseEvent,
  type RenewalFailed,
  type RenewalHint,
  type Rotated,
} from '../functions/core/events.ts';
