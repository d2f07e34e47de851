import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Duration } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { bundled, operatorOf, startTwin } from './stage.ts';

const FOREIGN_ROLE = 'arn:aws:iam::444455556666:role/issue-certificates';

const ASSUME = `
  import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
  export const handler = async ({ RoleArn }) => {
    const { Credentials } = await new STSClient({}).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'everleaf' }));
    const credentials = { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey };
    const { Arn } = await new STSClient({ credentials }).send(new GetCallerIdentityCommand({}));
    return Arn;
  };`;

test('a function that may assume a role of another account calls in its name, and is still known as itself', async () => {
  const twin = await startTwin((stack) => {
    const assume = bundled(stack, 'Assume', ASSUME);
    assume.addToRolePolicy(new PolicyStatement({ actions: ['sts:AssumeRole'], resources: [FOREIGN_ROLE] }));
  });
  const answer = await twin.invoke('Assume', { RoleArn: FOREIGN_ROLE });
  expect(answer).toBe('arn:aws:sts::444455556666:assumed-role/issue-certificates/everleaf');
  expect(twin.calls.map(({ principal }) => principal)).toEqual(Array(2).fill(twin.function('Assume').logicalId));
  await expect(twin.invoke('Assume', { RoleArn: `${FOREIGN_ROLE}-2` })).rejects.toThrow(
    'not authorized to perform: sts:AssumeRole',
  );
});

test('a session ends when its time is over on the virtual clock', async () => {
  const twin = await startTwin((stack) => void bundled(stack, 'Assume', ASSUME));
  const operator = new STSClient(operatorOf(twin));
  const { Credentials } = await operator.send(
    new AssumeRoleCommand({ RoleArn: FOREIGN_ROLE, RoleSessionName: 'everleaf', DurationSeconds: 900 }),
  );
  const credentials = {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
  };
  const client = new STSClient({ ...operatorOf(twin), credentials });
  await expect(client.send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({ Account: '111122223333' });
  await twin.advance(Duration.minutes(15).toMilliseconds());
  await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredTokenException' });
});
