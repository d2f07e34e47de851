import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ACCOUNT_TAG, CERTIFICATE_TAG, DEPLOYMENT_TAG } from '../functions/stores/tags.ts';
import type { EverleafFunction } from './everleaf-function.ts';

/** Where keys and certificates live: Secrets Manager, under a key of the deployment's own. Both outlive the stack. */
export class CertificateStore extends Construct {
  readonly key: Key;
  readonly #deployment: string;

  constructor(scope: Construct, id: string, deployment: string) {
    super(scope, id);
    this.#deployment = deployment;
    this.key = new Key(this, 'Key', {
      description: `Everleaf ${deployment}: private keys of TLS certificates`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /**
   * By name and by tag, never by secret: a role's policies end at 10,240 characters. DescribeSecret goes by name alone, since
   * a secret that does not exist has no tag, and one that is somebody else's must be told apart from it.
   */
  allowReadWrite(to: EverleafFunction): void {
    const { region, account, partition } = Stack.of(this);
    const secrets = [`arn:${partition}:secretsmanager:${region}:${account}:secret:${this.#deployment}/*`];
    to.allow(['secretsmanager:DescribeSecret'], secrets);
    to.allow(['secretsmanager:CreateSecret', 'secretsmanager:TagResource'], secrets, {
      StringEquals: { [`aws:RequestTag/${DEPLOYMENT_TAG}`]: this.#deployment },
      'ForAllValues:StringEquals': { 'aws:TagKeys': [DEPLOYMENT_TAG, CERTIFICATE_TAG, ACCOUNT_TAG] },
    });
    to.allow(
      ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
      secrets,
      { StringEquals: { [`aws:ResourceTag/${DEPLOYMENT_TAG}`]: this.#deployment } },
    );
    // By secret, not by key: what an earlier deployment of this name left behind is encrypted under that one's key.
    to.allow(['kms:GenerateDataKey', 'kms:Decrypt'], [`arn:${partition}:kms:${region}:${account}:key/*`], {
      StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` },
      StringLike: { 'kms:EncryptionContext:SecretARN': secrets },
    });
  }
}
