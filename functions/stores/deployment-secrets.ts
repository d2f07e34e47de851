import {
  DeleteSecretCommand,
  DescribeSecretCommand,
  type DescribeSecretResponse,
  paginateListSecrets,
  RemoveRegionsFromReplicationCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure } from '../aws/failures.ts';
import type { CertificateId } from '../core/certificate.ts';
import { PermanentError } from '../core/errors.ts';
import { isNotFound } from './once-visible.ts';
import { CERTIFICATE_TAG, DEPLOYMENT_TAG } from './tags.ts';

/** A secret of a deployment by what is written on it. What is in it is not read. */
export interface MarkedSecret {
  readonly name: string;
  /** Whose certificate it holds, as its tag says. */
  readonly certificate: string;
}

/** The secrets of one deployment from outside, for people: no function of ours may delete any. */
export interface DeploymentSecrets {
  /** Those that hold certificates, and are not about to be deleted. */
  list(): AsyncIterable<MarkedSecret>;
  /** Schedules a secret for deletion, once its replicas are gone. Throws PermanentError `SecretNotOurs` for anybody else's. */
  remove(name: string, certificate: CertificateId, recoveryDays: number): Promise<'scheduled' | 'gone'>;
}

export function deploymentSecrets(
  deployment: string,
  client = new SecretsManagerClient({ ...CLIENT_SETTINGS }),
): DeploymentSecrets {
  async function describe(name: string): Promise<DescribeSecretResponse | undefined> {
    try {
      return await client.send(new DescribeSecretCommand({ SecretId: name }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw awsFailure(error, `describing secret ${name}`);
    }
  }

  return {
    async *list() {
      try {
        // Filters match beginnings: what only begins alike is told apart below.
        const filters = [
          { Key: 'tag-key' as const, Values: [DEPLOYMENT_TAG] },
          { Key: 'tag-value' as const, Values: [deployment] },
        ];
        for await (const { SecretList = [] } of paginateListSecrets({ client }, { Filters: filters })) {
          for (const { Name = '', Tags = [] } of SecretList) {
            const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]));
            const certificate = tags.get(CERTIFICATE_TAG);
            if (tags.get(DEPLOYMENT_TAG) === deployment && certificate !== undefined) yield { name: Name, certificate };
          }
        }
      } catch (error) {
        throw awsFailure(error, 'listing secrets');
      }
    },
    remove: async (name, certificate, recoveryDays) => {
      const found = await describe(name);
      if (found === undefined || found.DeletedDate !== undefined) return 'gone';
      const tags = new Map(found.Tags?.map(({ Key, Value }) => [Key, Value]));
      if (tags.get(DEPLOYMENT_TAG) !== deployment || tags.get(CERTIFICATE_TAG) !== certificate) {
        throw new PermanentError(
          'SecretNotOurs',
          `secret ${name} is not tagged ${DEPLOYMENT_TAG}=${deployment}, ${CERTIFICATE_TAG}=${certificate}: it was left alone`,
        );
      }
      const replicas = (found.ReplicationStatus ?? []).flatMap(({ Region }) => Region ?? []);
      try {
        // A secret that is replicated cannot be deleted.
        if (replicas.length > 0) {
          await client.send(
            new RemoveRegionsFromReplicationCommand({ SecretId: name, RemoveReplicaRegions: replicas }),
          );
        }
        await client.send(new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: recoveryDays }));
        return 'scheduled';
      } catch (error) {
        throw awsFailure(error, `deleting secret ${name}`);
      }
    },
  };
}
