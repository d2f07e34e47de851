import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import {
  CreateSecretCommand,
  type DescribeSecretResponse,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure, failureName } from '../aws/failures.ts';
import { versionId } from '../core/certificate.ts';
import { ConflictError, EverleafError, PermanentError, TransientError } from '../core/errors.ts';
import { keyHandle } from '../core/key-handle.ts';
import type { PublicParts, SecretSlot, SecretStore } from '../core/ports.ts';
import { encodeBundle, encodeStagedKey, readContent, type SecretContent } from './bundle.ts';
import { isNotFound, onceVisible } from './once-visible.ts';
import { CURRENT, holderOf, ownedSecrets, type SecretsManagerSettings } from './owned-secrets.ts';
import { CERTIFICATE_TAG, DEPLOYMENT_TAG, tagList } from './tags.ts';

/** The one staging label in use: on the staged key first, then on the bundle, gone after promotion. */
const PENDING = 'AWSPENDING';

/**
 * Versions of one secret over a renewal:
 *
 *   before          v1 AWSCURRENT
 *   key staged      v1 AWSCURRENT    s2 AWSPENDING {everleaf.stagedKey}
 *   committed       v1 AWSCURRENT    s2 -             v2 AWSPENDING {tls.crt, tls.key, ca.crt}
 *   promoted        v1 AWSPREVIOUS   s2 -             v2 AWSCURRENT
 *
 * The very first version of a secret becomes AWSCURRENT whatever labels it is given. It is a staged key then, which consumers
 * see as a bundle without `tls.crt`: not issued yet.
 */
export function secretsManagerStore(
  settings: SecretsManagerSettings,
  client = new SecretsManagerClient({ ...CLIENT_SETTINGS }),
): SecretStore {
  const { nameOf, describe, moveLabel } = ownedSecrets(settings.deployment, client);
  const { replicas = [] } = settings;

  async function ensure(slot: SecretSlot): Promise<DescribeSecretResponse> {
    const name = nameOf(slot);
    const existing = await describe(slot);
    if (existing !== undefined) return existing;
    try {
      return await client.send(
        new CreateSecretCommand({
          Name: name,
          Description: `TLS certificate ${slot.certificate}, kept by Everleaf`,
          ...(settings.kmsKeyArn === undefined ? {} : { KmsKeyId: settings.kmsKeyArn }),
          Tags: tagList({
            ...settings.tags,
            [DEPLOYMENT_TAG]: settings.deployment,
            [CERTIFICATE_TAG]: slot.certificate,
          }),
          ...(replicas.length === 0
            ? {}
            : { AddReplicaRegions: replicas.map(({ region: Region, kmsKeyArn: KmsKeyId }) => ({ Region, KmsKeyId })) }),
        }),
      );
    } catch (error) {
      if (failureName(error) === 'ResourceExistsException') {
        throw new TransientError('SecretJustCreated', `secret ${name} was created meanwhile`, { cause: error });
      }
      throw awsFailure(error, `creating secret ${name}`);
    }
  }

  async function read(
    slot: SecretSlot,
    version: { VersionId: string } | { VersionStage: string },
  ): Promise<SecretContent & { version: string; ref: string }> {
    const name = nameOf(slot);
    try {
      const { SecretString, VersionId, ARN } = await onceVisible(() =>
        client.send(new GetSecretValueCommand({ SecretId: name, ...version })),
      );
      return { ...readContent(SecretString), version: VersionId ?? '', ref: ARN ?? name };
    } catch (error) {
      throw awsFailure(error, `reading secret ${name}`);
    }
  }

  async function readIfThere(
    slot: SecretSlot,
    version: string,
  ): Promise<(SecretContent & { ref: string }) | undefined> {
    try {
      return await read(slot, { VersionId: version });
    } catch (error) {
      if (error instanceof EverleafError && isNotFound(error.cause)) return undefined;
      throw error;
    }
  }

  async function publicParts(slot: SecretSlot, version: string): Promise<PublicParts> {
    const content = await readIfThere(slot, version);
    if (content?.is === 'bundle' && content.provenance.certificate === slot.certificate) {
      const { ref, leaf, intermediates, trustAnchors } = content;
      return { ref, leaf, intermediates, trustAnchors };
    }
    throw new PermanentError('StoredVersionLost', `secret ${nameOf(slot)} does not hold version ${version} any more`);
  }

  /** Answers false when another writer was first with this token. */
  async function putPending(slot: SecretSlot, token: string, value: string): Promise<{ ref: string } | false> {
    const name = nameOf(slot);
    try {
      const command = new PutSecretValueCommand({
        SecretId: name,
        ClientRequestToken: token,
        SecretString: value,
        VersionStages: [PENDING],
      });
      const { ARN } = await onceVisible(() => client.send(command));
      return { ref: ARN ?? name };
    } catch (error) {
      if (failureName(error) === 'ResourceExistsException') return false;
      if (isNotFound(error)) {
        throw new TransientError('SecretJustCreated', `secret ${name} was there, and cannot be written yet`, {
          cause: error,
        });
      }
      throw awsFailure(error, `writing a version of secret ${name}`);
    }
  }

  async function stagedKey(slot: SecretSlot, attempt: string): Promise<KeyObject> {
    const content = await readIfThere(slot, attempt);
    if (content === undefined) {
      throw new TransientError(
        'StagedKeyLost',
        `secret ${nameOf(slot)} has no version ${attempt} any more, the key of this attempt`,
        { endsAttempt: true },
      );
    }
    if (content.is === 'stagedKey' && content.certificate === slot.certificate) return content.key;
    throw new PermanentError(
      'StagedKeyLost',
      `version ${attempt} of secret ${nameOf(slot)} does not hold the key that was staged there; somebody overwrote it`,
    );
  }

  /** Whose content is current decides what a promotion that found its predecessor gone means. */
  async function assertReplaceable(slot: SecretSlot, holder: string, replaces: string | undefined): Promise<void> {
    if (holder === replaces) return;
    const content = await read(slot, { VersionId: holder });
    if (content.is === 'stagedKey' && content.certificate === slot.certificate) return;
    if (content.is === 'bundle' && content.provenance.certificate === slot.certificate) {
      throw new ConflictError(
        'CurrentMoved',
        `secret ${nameOf(slot)}: version ${holder} is current, not ${replaces ?? 'none'}`,
      );
    }
    throw new PermanentError(
      'SecretChangedElsewhere',
      `secret ${nameOf(slot)}: version ${holder} is current and was not written by Everleaf; find out who writes it, ` +
        `then move ${CURRENT} back to ${replaces ?? 'a version of ours'} or delete the secret`,
    );
  }

  return {
    stageKey: async (slot, attempt, make) => {
      const { VersionIdsToStages = {} } = await ensure(slot);
      // Absent from this map are versions without labels, too: the token's own check finds those.
      if (VersionIdsToStages[attempt] !== undefined) return keyHandle(await stagedKey(slot, attempt));
      const key = await make();
      const written = await putPending(slot, attempt, encodeStagedKey(key, { certificate: slot.certificate, attempt }));
      return keyHandle(written === false ? await stagedKey(slot, attempt) : key);
    },

    commit: async (slot, chain, provenance) => {
      const key = await stagedKey(slot, provenance.attempt);
      if (!new X509Certificate(chain.leaf).checkPrivateKey(key)) {
        throw new PermanentError(
          'KeyMismatch',
          `${slot.certificate}: the leaf is not for the key of attempt ${provenance.attempt}`,
        );
      }
      const value = encodeBundle(key, chain, provenance, slot.outputFormats);
      // The token follows from the content: repeating a commit is a no-op, a different answer of the CA is another version.
      const token = createHash('sha256').update(value).digest('hex');
      const written = await putPending(slot, token, value);
      if (written === false)
        throw new TransientError('VersionExists', `secret ${nameOf(slot)}: version ${token} exists with another value`);
      return { version: versionId.parse(token), ref: written.ref };
    },

    promote: async (slot, version, replaces) => {
      const { VersionIdsToStages = {} } = await ensure(slot);
      const holder = holderOf(VersionIdsToStages, CURRENT);
      if (holder !== version) {
        if (holder !== undefined) await assertReplaceable(slot, holder, replaces);
        await moveLabel(slot, CURRENT, { from: holder, to: version });
      }
      if (VersionIdsToStages[version]?.includes(PENDING) === true) await moveLabel(slot, PENDING, { from: version });
    },

    current: async (slot) => {
      const description = await describe(slot);
      if (description === undefined || holderOf(description.VersionIdsToStages ?? {}, CURRENT) === undefined)
        return undefined;
      const content = await read(slot, { VersionStage: CURRENT });
      if (content.is !== 'bundle' || content.provenance.certificate !== slot.certificate) return undefined;
      return { version: versionId.parse(content.version), provenance: content.provenance };
    },

    publicParts,

    leaf: async (slot, version) => (await publicParts(slot, version)).leaf,

    discard: async (slot) => {
      const description = await describe(slot);
      const pending = holderOf(description?.VersionIdsToStages ?? {}, PENDING);
      if (pending !== undefined) await moveLabel(slot, PENDING, { from: pending });
    },
  };
}
