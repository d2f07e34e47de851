import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { ConflictError, PermanentError, TransientError } from '../core/errors.ts';
import type { VersionSwitch } from '../core/ports.ts';
import { CURRENT, holderOf, ownedSecrets } from './owned-secrets.ts';

/** For whoever may move what consumers read, and may not read it. */
export function versionSwitch(
  deployment: string,
  client = new SecretsManagerClient({ ...CLIENT_SETTINGS }),
): VersionSwitch {
  const { nameOf, describe, moveLabel } = ownedSecrets(deployment, client);
  return {
    switchTo: async (slot, version, replaces) => {
      const { VersionIdsToStages: stages = {} } = (await describe(slot)) ?? {};
      const holder = holderOf(stages, CURRENT);
      if (holder === version) return;
      if (holder !== replaces) {
        const found = holder === undefined ? 'none' : holder;
        throw new ConflictError(
          'CurrentMoved',
          `secret ${nameOf(slot)}: version ${found} is current, not ${replaces}; it is left as it is`,
        );
      }
      try {
        await moveLabel(slot, CURRENT, { from: holder, to: version });
      } catch (error) {
        // A version without a label goes, a day old, when there are more than a hundred.
        if (!(error instanceof TransientError) || error.code !== 'StoredVersionLost') throw error;
        throw new PermanentError('StoredVersionLost', error.message, { cause: error });
      }
    },

    requireReplica: async (slot, region) => {
      const replicas = (await describe(slot))?.ReplicationStatus ?? [];
      const replica = replicas.find(({ Region }) => Region === region);
      if (replica === undefined || replica.Status === 'InSync') return;
      const { Status = 'unknown', StatusMessage = '' } = replica;
      throw new TransientError(
        'NotReplicated',
        `secret ${nameOf(slot)}: its replica in ${region} is ${Status}${StatusMessage === '' ? '' : `: ${StatusMessage}`}`,
      );
    },
  };
}
