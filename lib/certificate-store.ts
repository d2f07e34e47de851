import { type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { type ISecret, type ReplicaRegion, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { CertificateSpec } from '../functions/core/certificate.ts';
import { secretNameOf } from '../functions/stores/secret-name.ts';
import { ACCOUNT_TAG, CERTIFICATE_TAG, DEPLOYMENT_TAG } from '../functions/stores/tags.ts';
import type { EverleafFunction } from './everleaf-function.ts';

export interface CertificateStoreProps {
  readonly deployment: string;
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey: IKey | undefined;
  readonly replicaRegions: readonly ReplicaRegion[];
  /** On every secret, beside those that tell whose it is. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Before it takes a key, Secrets Manager tries it with this instead of a version (User Guide, "How Secrets Manager uses your KMS
 * key"), and by the policies that others had to write, instead of a secret's ARN. It opens nothing: no secret has such an ARN.
 */
const TRIAL_OF_KEY = 'RequestToValidateKeyAccess';

/** Where keys and certificates live: Secrets Manager, under a key of the deployment's own. Secrets outlive the stack. */
export class CertificateStore extends Construct {
  readonly key: IKey;
  readonly #props: CertificateStoreProps;
  readonly #imported = new Map<string, ISecret>();

  constructor(scope: Construct, id: string, props: CertificateStoreProps) {
    super(scope, id);
    this.#props = props;
    this.key =
      props.encryptionKey ??
      new Key(this, 'Key', {
        description: `Everleaf ${props.deployment}: private keys of TLS certificates`,
        enableKeyRotation: true,
        removalPolicy: props.removalPolicy,
      });
  }

  /** Settings of whoever makes secrets. */
  environment(): Readonly<Record<string, string>> {
    const { replicaRegions, tags } = this.#props;
    const replicas = replicaRegions.map(({ region, encryptionKey }) => ({ region, kmsKeyArn: encryptionKey?.keyArn }));
    return {
      KMS_KEY_ARN: this.key.keyArn,
      ...(replicas.length === 0 ? {} : { REPLICAS: Stack.of(this).toJsonString(replicas) }),
      ...(Object.keys(tags).length === 0 ? {} : { SECRET_TAGS: JSON.stringify(tags) }),
    };
  }

  secret(spec: CertificateSpec): ISecret {
    const name = this.#nameOf(spec);
    const known = this.#imported.get(name);
    if (known !== undefined) return known;
    const secretPartialArn = this.#arn(Stack.of(this).region, name);
    const secret = Secret.fromSecretAttributes(this, name, { secretPartialArn, encryptionKey: this.key });
    this.#imported.set(name, secret);
    return secret;
  }

  /** Six characters of AWS's choice end a secret's ARN. */
  grantRead(spec: CertificateSpec, grantee: IGrantable): Grant {
    const name = this.#nameOf(spec);
    const arns = this.#regions().map((region) => this.#arn(region, `${name}-??????`));
    const read = Grant.addToPrincipal({
      grantee,
      actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
      resourceArns: arns,
    });
    return this.#regions().reduce((granted, region) => {
      const { actions, resources, conditions } = this.#useOfKeys(['kms:Decrypt'], region, [
        this.#arn(region, `${name}-??????`),
      ]);
      return granted.combine(Grant.addToPrincipal({ grantee, actions, resourceArns: resources, conditions }));
    }, read);
  }

  /**
   * By name and by tag, never by secret: a role's policies end at 10,240 characters. DescribeSecret goes by name alone, since
   * a secret that does not exist has no tag, and one that is somebody else's must be told apart from it.
   */
  allowReadWrite(to: EverleafFunction): void {
    const { deployment, replicaRegions, tags } = this.#props;
    const { region } = Stack.of(this);
    const secrets = this.#secrets;
    to.allow(['secretsmanager:DescribeSecret'], secrets);
    to.allow(['secretsmanager:CreateSecret', 'secretsmanager:TagResource'], secrets, {
      StringEquals: { [`aws:RequestTag/${DEPLOYMENT_TAG}`]: deployment },
      'ForAllValues:StringEquals': {
        'aws:TagKeys': [DEPLOYMENT_TAG, CERTIFICATE_TAG, ACCOUNT_TAG, ...Object.keys(tags)],
      },
    });
    to.allow(
      ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
      secrets,
      this.#ours,
    );
    const encrypted = [...secrets, TRIAL_OF_KEY];
    to.role.addToPolicy(this.#useOfKeys(['kms:GenerateDataKey', 'kms:Decrypt'], region, encrypted));
    if (replicaRegions.length === 0) return;
    // Asked for by the call that makes a secret, which has no tag yet.
    to.allow(['secretsmanager:ReplicateSecretToRegions'], secrets);
    for (const replica of replicaRegions) {
      const there = [this.#arn(replica.region, `${deployment}/*`), TRIAL_OF_KEY];
      // Replication encrypts there as well (Secrets Manager User Guide, "Replicate AWS Secrets Manager secrets across Regions").
      to.role.addToPolicy(
        this.#useOfKeys(['kms:GenerateDataKey', 'kms:Encrypt', 'kms:Decrypt'], replica.region, there),
      );
    }
  }

  /** Moves what consumers read between versions, and reads none of them. */
  allowSwitch(to: EverleafFunction): void {
    to.allow(['secretsmanager:DescribeSecret'], this.#secrets);
    to.allow(['secretsmanager:UpdateSecretVersionStage'], this.#secrets, this.#ours);
  }

  /** Private keys, for what hands them to targets. */
  allowReadKeys(to: EverleafFunction): void {
    to.allow(['secretsmanager:GetSecretValue'], this.#secrets, this.#ours);
    to.role.addToPolicy(this.#useOfKeys(['kms:Decrypt'], Stack.of(this).region, this.#secrets));
  }

  /** By secret, not by key: what an earlier deployment of this name left behind is encrypted under that one's key. */
  #useOfKeys(actions: readonly string[], region: string, secrets: readonly string[]): PolicyStatement {
    const { account, partition } = Stack.of(this);
    return new PolicyStatement({
      actions: [...actions],
      resources: [`arn:${partition}:kms:${region}:${account}:key/*`, ...this.#foreignKeys(region)],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` },
        StringLike: { 'kms:EncryptionContext:SecretARN': secrets },
      },
    });
  }

  /** Keys that were given and are another account's: both accounts have to allow their use. */
  #foreignKeys(region: string): readonly string[] {
    const stack = Stack.of(this);
    const { encryptionKey, replicaRegions } = this.#props;
    const given =
      region === stack.region ? encryptionKey : replicaRegions.find((each) => each.region === region)?.encryptionKey;
    return given === undefined || given.env.account === stack.account ? [] : [given.keyArn];
  }

  get #secrets(): readonly string[] {
    return [this.#arn(Stack.of(this).region, `${this.#props.deployment}/*`)];
  }

  get #ours(): Readonly<Record<string, unknown>> {
    return { StringEquals: { [`aws:ResourceTag/${DEPLOYMENT_TAG}`]: this.#props.deployment } };
  }

  /** This one, and those of replicas. */
  #regions(): readonly string[] {
    return [Stack.of(this).region, ...this.#props.replicaRegions.map(({ region }) => region)];
  }

  #arn(region: string, secret: string): string {
    const { account, partition } = Stack.of(this);
    return `arn:${partition}:secretsmanager:${region}:${account}:secret:${secret}`;
  }

  #nameOf({ id, secretName }: CertificateSpec): string {
    return secretNameOf(this.#props.deployment, { certificate: id, secretName });
  }
}
