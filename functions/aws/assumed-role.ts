import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { PermanentError } from '../core/errors.ts';
import { CLIENT_SETTINGS } from './client.ts';
import { awsFailure } from './failures.ts';

export type Credentials = () => Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>;

/** Credentials of a role in another account. The SDK caches them until they expire. Without `region`: the function's own. */
export function assumedRole(roleArn: string, region: string | undefined): Credentials {
  const client = new STSClient({ ...CLIENT_SETTINGS, ...(region === undefined ? {} : { region }) });
  return async () => {
    try {
      const { Credentials: granted } = await client.send(
        new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'everleaf' }),
      );
      if (granted?.AccessKeyId === undefined || granted.SecretAccessKey === undefined) {
        throw new PermanentError('RoleGaveNothing', `assuming ${roleArn} answered no credentials`);
      }
      const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken, Expiration } = granted;
      return {
        accessKeyId,
        secretAccessKey,
        ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
        ...(Expiration === undefined ? {} : { expiration: Expiration }),
      };
    } catch (error) {
      throw awsFailure(error, `assuming ${roleArn}`);
    }
  };
}
