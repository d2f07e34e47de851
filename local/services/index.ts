import type { Account } from '../account.ts';
import type { JsonService } from '../wire/service.ts';
import { SecretsManager } from './secrets-manager.ts';

/** Services without a resource in the template: functions call them, and nobody deploys them. One line each. */
export const SERVICES: readonly ((account: Account) => JsonService)[] = [() => new SecretsManager()];
