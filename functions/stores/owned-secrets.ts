import {
  DescribeSecretCommand,
  type DescribeSecretResponse,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { awsFailure, failureName } from '../aws/failures.ts';
import { PermanentError, TransientError } from '../core/errors.ts';
import type { SecretSlot } from '../core/ports.ts';
import { isNotFound, onceVisible } from './once-visible.ts';
import { secretNameOf } from './secret-name.ts';
import { CERTIFICATE_TAG, DEPLOYMENT_TAG } from './tags.ts';

export const CURRENT = 'AWSCURRENT';

export interface SecretsManagerSettings {
  /** Names the deployment; first part of every secret's name and value of its tag. */
  readonly deployment: string;
  readonly kmsKeyArn: string | undefined;
  /** On every secret, beside those that tell whose it is. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Other Regions that a certificate's secret is made with. What is stored in this one follows there by itself. */
  readonly replicas?: readonly Replica[];
}

export interface Replica {
  readonly region: string;
  /** Of a key in that Region. */
  readonly kmsKeyArn: string;
}

/** Secrets by their marks and labels: nothing here reads what is in them. */
export interface OwnedSecrets {
  readonly nameOf: (slot: SecretSlot) => string;
  /** The secret's description, undefined where there is none. Throws `SecretNotOurs` for anybody else's. */
  readonly describe: (slot: SecretSlot) => Promise<DescribeSecretResponse | undefined>;
  readonly moveLabel: (
    slot: SecretSlot,
    label: string,
    move: { readonly from?: string | undefined; readonly to?: string },
  ) => Promise<void>;
}

export function ownedSecrets(deployment: string, client: SecretsManagerClient): OwnedSecrets {
  const nameOf = (slot: SecretSlot): string => secretNameOf(deployment, slot);

  async function describe(slot: SecretSlot): Promise<DescribeSecretResponse | undefined> {
    const name = nameOf(slot);
    try {
      const found = await client.send(new DescribeSecretCommand({ SecretId: name }));
      assertOurs(found, slot, name);
      return found;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw awsFailure(error, `describing secret ${name}`);
    }
  }

  function assertOurs({ Tags = [], DeletedDate }: DescribeSecretResponse, slot: SecretSlot, name: string): void {
    const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]));
    if (tags.get(DEPLOYMENT_TAG) !== deployment || tags.get(CERTIFICATE_TAG) !== slot.certificate) {
      throw new PermanentError(
        'SecretNotOurs',
        `secret ${name} exists and is not tagged ${DEPLOYMENT_TAG}=${deployment}, ${CERTIFICATE_TAG}=${slot.certificate}; ` +
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

  async function moveLabel(
    slot: SecretSlot,
    label: string,
    move: { from?: string | undefined; to?: string },
  ): Promise<void> {
    const name = nameOf(slot);
    try {
      const command = new UpdateSecretVersionStageCommand({
        SecretId: name,
        VersionStage: label,
        ...(move.from === undefined ? {} : { RemoveFromVersionId: move.from }),
        ...(move.to === undefined ? {} : { MoveToVersionId: move.to }),
      });
      await onceVisible(() => client.send(command));
    } catch (error) {
      if (failureName(error) === 'InvalidParameterException') {
        throw new TransientError(
          'LabelMoved',
          `secret ${name}: ${label} is no longer on version ${move.from ?? 'none'}`,
          { cause: error },
        );
      }
      if (isNotFound(error) && move.to !== undefined) {
        throw new TransientError('StoredVersionLost', `secret ${name}: version ${move.to} is gone`, {
          cause: error,
          endsAttempt: true,
        });
      }
      throw awsFailure(error, `moving ${label} of secret ${name}`);
    }
  }

  return { nameOf, describe, moveLabel };
}

export function holderOf(stages: Readonly<Record<string, readonly string[]>>, label: string): string | undefined {
  return Object.keys(stages).find((version) => stages[version]?.includes(label));
}
