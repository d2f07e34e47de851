import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { CLIENT_SETTINGS } from '../../aws/client.ts';
import { awsFailure } from '../../aws/failures.ts';
import { PermanentError } from '../../core/errors.ts';
import type { Credentials } from './issuer.ts';

/** Credentials of an issuer's `role`, for a CA in another account. The SDK caches them until they expire. */
export function assumedRole(roleArn: string, region: string): Credentials {
  const client = new STSClient({ ...CLIENT_SETTINGS, region });
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
