import { output, type Rehearsal, STACK_NAME } from './rehearsal.ts';

/** How a person goes on from here. With `kept`, lines that work against the running twin. */
export function lookAround({ endpoint, region, credentials, outputs }: Rehearsal, kept: boolean): string {
  if (!kept) {
    return [
      '',
      'To look around: npm start -- --keep               stays up and prints commands that work against it',
      '                npm start -- --renew shop         renews one on request',
      '                npm start -- --rotate-under-load  rotates what is served, while clients connect to it',
      '                npx everleaf validate DIR         checks manifests of your own; --manifest DIR runs them here',
      '                npx cdk deploy                    the same app, into your AWS account (docs/deploy.md)',
    ].join('\n');
  }
  return [
    '',
    `The twin stays up at ${endpoint} until Ctrl-C. In another terminal:`,
    '',
    `  export AWS_ENDPOINT_URL=${endpoint} AWS_REGION=${region}`,
    `  export AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`,
    `  npx everleaf status`,
    `  npx everleaf renew shop --wait`,
    `  npx everleaf history shop`,
    `  aws secretsmanager list-secrets --query 'SecretList[].Name'`,
    `  aws secretsmanager get-secret-value --secret-id ${STACK_NAME}/shop-tls --query SecretString --output text`,
    `  aws dynamodb scan --table-name ${output(outputs, 'TableName')} --query 'Items[].pk.S'`,
  ].join('\n');
}
