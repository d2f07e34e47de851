import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  type DescribeSecretResponse,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure, failureName } from '../aws/failures.ts';
import { versionId } from '../core/certificate.ts';
import { ConflictError, PermanentError, TransientError } from '../core/errors.ts';
import { keyHandle } from '../core/key-handle.ts';
import type { SecretSlot, SecretStore } from '../core/ports.ts';
import { encodeBundle, encodeStagedKey, readContent, type SecretContent } from './bundle.ts';
import { secretName } from './secret-name.ts';
import { CERTIFICATE_TAG, DEPLOYMENT_TAG } from './tags.ts';

const CURRENT = 'AWSCURRENT';
/** The one staging label in use: on the staged key first, then on the bundle, gone after promotion. */
const PENDING = 'AWSPENDING';

export interface SecretsManagerSettings {
  /** Names the deployment; first part of every secret's name and value of its tag. */
  readonly deployment: string;
  readonly kmsKeyArn: string | undefined;
}

/** Where a certificate's bundle is. */
export const secretNameOf = (deployment: string, slot: SecretSlot): string =>
  secretName(deployment, slot.certificate.split('/')[0], slot.secretName);

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
  const nameOf = (slot: SecretSlot): string => secretNameOf(settings.deployment, slot);

  /** The secret's description, undefined where there is none. Throws `SecretNotOurs` for anybody else's. */
  async function describe(slot: SecretSlot): Promise<DescribeSecretResponse | undefined> {
    const name = nameOf(slot);
    try {
      const found = await client.send(new DescribeSecretCommand({ SecretId: name }));
      assertOurs(found, slot, name);
      return found;
    } catch (error) {
      if (failureName(error) === 'ResourceNotFoundException') return undefined;
      throw awsFailure(error, `describing secret ${name}`);
    }
  }

  function assertOurs({ Tags = [], DeletedDate }: DescribeSecretResponse, slot: SecretSlot, name: string): void {
    const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]));
    if (tags.get(DEPLOYMENT_TAG) !== settings.deployment || tags.get(CERTIFICATE_TAG) !== slot.certificate) {
      throw new PermanentError(
        'SecretNotOurs',
        `secret ${name} exists and is not tagged ${DEPLOYMENT_TAG}=${settings.deployment}, ${CERTIFICATE_TAG}=${slot.certificate}; ` +
          `choose another secretName, or tag the secret so if Everleaf may take it over`,
      );
    }
    if (DeletedDate !== undefined) {
      throw new PermanentError(
        'SecretDeleted',
        `secret ${name} is scheduled for deletion; restore it (aws secretsmanager restore-secret)`,
      );
    }
  }

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
          Tags: [
            { Key: DEPLOYMENT_TAG, Value: settings.deployment },
            { Key: CERTIFICATE_TAG, Value: slot.certificate },
          ],
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
  ): Promise<SecretContent & { version: string }> {
    const name = nameOf(slot);
    try {
      const { SecretString, VersionId } = await client.send(new GetSecretValueCommand({ SecretId: name, ...version }));
      return { ...readContent(SecretString), version: VersionId ?? '' };
    } catch (error) {
      throw awsFailure(error, `reading secret ${name}`);
    }
  }

  /** Answers false when another writer was first with this token. */
  async function putPending(slot: SecretSlot, token: string, value: string): Promise<{ ref: string } | false> {
    const name = nameOf(slot);
    try {
      const { ARN } = await client.send(
        new PutSecretValueCommand({
          SecretId: name,
          ClientRequestToken: token,
          SecretString: value,
          VersionStages: [PENDING],
        }),
      );
      return { ref: ARN ?? name };
    } catch (error) {
      if (failureName(error) === 'ResourceExistsException') return false;
      throw awsFailure(error, `writing a version of secret ${name}`);
    }
  }

  async function moveLabel(
    slot: SecretSlot,
    label: string,
    move: { from?: string | undefined; to?: string },
  ): Promise<void> {
    const name = nameOf(slot);
    try {
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: name,
          VersionStage: label,
          ...(move.from === undefined ? {} : { RemoveFromVersionId: move.from }),
          ...(move.to === undefined ? {} : { MoveToVersionId: move.to }),
        }),
      );
    } catch (error) {
      if (failureName(error) === 'InvalidParameterException') {
        throw new TransientError(
          'LabelMoved',
          `secret ${name}: ${label} is no longer on version ${move.from ?? 'none'}`,
          { cause: error },
        );
      }
      if (failureName(error) === 'ResourceNotFoundException' && move.to !== undefined) {
        throw new TransientError('StoredVersionLost', `secret ${name}: version ${move.to} is gone`, {
          cause: error,
          endsAttempt: true,
        });
      }
      throw awsFailure(error, `moving ${label} of secret ${name}`);
    }
  }

  async function stagedKey(slot: SecretSlot, attempt: string): Promise<KeyObject> {
    const content = await read(slot, { VersionId: attempt });
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

    discard: async (slot) => {
      const description = await describe(slot);
      const pending = holderOf(description?.VersionIdsToStages ?? {}, PENDING);
      if (pending !== undefined) await moveLabel(slot, PENDING, { from: pending });
    },
  };
}

function holderOf(stages: Readonly<Record<string, readonly string[]>>, label: string): string | undefined {
  return Object.keys(stages).find((version) => stages[version]?.includes(label));
}
