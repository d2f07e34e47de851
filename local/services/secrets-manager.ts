import { randomInt } from 'node:crypto';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../wire/service.ts';
import { readInput } from './input.ts';
import { type Context, parameters, requestTags, resourceTags, useKey } from './secrets-manager/access.ts';
import * as inputs from './secrets-manager/input.ts';
import { Secret } from './secrets-manager/secret.ts';
import { invalidParameter, invalidRequest, type SecretVersion } from './secrets-manager/versions.ts';

const DAY_MS = 86_400_000;
const SUFFIX_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** AWS Secrets Manager, in one Region: what the product and its operators ask of it. */
export class SecretsManager implements JsonService {
  readonly signingName = 'secretsmanager';
  /** By name; those that wait for their deletion hold their name until then. */
  readonly #secrets = new Map<string, Secret>();

  /** What a secret holds, the oldest version first, for tests to look at. */
  versions(nameOrArn: string): readonly SecretVersion[] {
    return this.#find(nameOrArn)?.versions.all() ?? [];
  }

  handle(call: ServiceCall): unknown {
    const operation = this.#operations[call.operation];
    if (operation === undefined) throw unknownOperation('Secrets Manager', call.operation);
    for (const [name, { deletion }] of this.#secrets) {
      if (deletion !== undefined && deletion.dueAt <= call.now) this.#secrets.delete(name);
    }
    return operation(call);
  }

  readonly #operations: Readonly<Record<string, (call: ServiceCall) => unknown>> = {
    CreateSecret: (call) => this.#create(call),
    PutSecretValue: (call) => {
      const { SecretId, ClientRequestToken, SecretString, VersionStages } = readInput(inputs.PutSecretValue, call);
      const secret = this.#living(call, SecretId);
      useKey(call, secret, ClientRequestToken, 'kms:GenerateDataKey', 'kms:Decrypt');
      const { id, labels } = secret.versions.put(ClientRequestToken, SecretString, VersionStages, call.now);
      secret.changedAt = call.now;
      return { ...secret.identity, VersionId: id, VersionStages: [...labels] };
    },
    GetSecretValue: (call) => {
      const { SecretId, VersionId, VersionStage } = readInput(inputs.GetSecretValue, call);
      const secret = this.#living(call, SecretId, parameters({ VersionId, VersionStage }));
      const version = secret.versions.find(VersionId, VersionStage);
      useKey(call, secret, version.id, 'kms:Decrypt');
      secret.accessedAt = call.now;
      return { ...secret.identity, ...onTheWire(version), SecretString: version.value };
    },
    UpdateSecretVersionStage: (call) => {
      const { SecretId, VersionStage, ...ids } = readInput(inputs.UpdateSecretVersionStage, call);
      const secret = this.#living(call, SecretId, parameters({ VersionStage }));
      secret.versions.moveLabel({ label: VersionStage, from: ids.RemoveFromVersionId, to: ids.MoveToVersionId });
      secret.changedAt = call.now;
      return secret.identity;
    },
    DescribeSecret: (call) => {
      const secret = this.#authorized(call, readInput(inputs.OfSecret, call).SecretId);
      return { ...secret.describe(), VersionIdsToStages: secret.stages() };
    },
    ListSecretVersionIds: (call) => {
      const { SecretId, IncludeDeprecated, ...page } = readInput(inputs.ListSecretVersionIds, call);
      const secret = this.#authorized(call, SecretId);
      const listed = secret.versions.all().filter(({ labels }) => IncludeDeprecated || labels.size > 0);
      const { items, NextToken } = pageOf(listed, page);
      return { ...secret.identity, Versions: items.map(onTheWire), NextToken };
    },
    ListSecrets: (call) => {
      const { Filters, IncludePlannedDeletion, ...page } = readInput(inputs.ListSecrets, call);
      call.authorize('secretsmanager:ListSecrets', '*');
      const listed = [...this.#secrets.values()].filter(
        (secret) =>
          (IncludePlannedDeletion || secret.deletion === undefined) &&
          Filters.every((filter) => secret.matches(filter)),
      );
      const { items, NextToken } = pageOf(listed, page);
      const SecretList = items.map((secret) => ({ ...secret.describe(), SecretVersionsToStages: secret.stages() }));
      return { SecretList, NextToken };
    },
    TagResource: (call) => {
      const { SecretId, Tags } = readInput(inputs.TagResource, call);
      this.#living(call, SecretId, requestTags(Tags)).tag(Tags);
    },
    UntagResource: (call) => {
      const { SecretId, TagKeys } = readInput(inputs.UntagResource, call);
      const { tags } = this.#living(call, SecretId, { 'aws:TagKeys': TagKeys });
      for (const key of TagKeys) tags.delete(key);
    },
    DeleteSecret: (call) => {
      const { SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery } = readInput(inputs.DeleteSecret, call);
      if (ForceDeleteWithoutRecovery && RecoveryWindowInDays !== undefined) {
        throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
      }
      const secret = this.#living(call, SecretId);
      if (secret.replicas.length > 0) {
        throw invalidRequest(
          "You can't delete a secret that is replicated to other Regions: remove its replicas first.",
        );
      }
      const dueAt = call.now + (ForceDeleteWithoutRecovery ? 0 : (RecoveryWindowInDays ?? 30) * DAY_MS);
      secret.deletion = { requestedAt: call.now, dueAt };
      return { ...secret.identity, DeletionDate: dueAt / 1_000 };
    },
    ReplicateSecretToRegions: (call) => {
      const { SecretId, AddReplicaRegions } = readInput(inputs.ReplicateSecretToRegions, call);
      const secret = this.#living(call, SecretId);
      secret.replicas = [...secret.replicas, ...AddReplicaRegions];
      return { ARN: secret.facts.arn, ReplicationStatus: secret.describe()['ReplicationStatus'] };
    },
    RemoveRegionsFromReplication: (call) => {
      const { SecretId, RemoveReplicaRegions } = readInput(inputs.RemoveRegionsFromReplication, call);
      const secret = this.#living(call, SecretId);
      secret.replicas = secret.replicas.filter(({ Region }) => !RemoveReplicaRegions.includes(Region));
      return { ARN: secret.facts.arn, ReplicationStatus: secret.describe()['ReplicationStatus'] };
    },
    RestoreSecret: (call) => {
      const secret = this.#authorized(call, readInput(inputs.OfSecret, call).SecretId);
      secret.deletion = undefined;
      return secret.identity;
    },
  };

  #create(call: ServiceCall): unknown {
    const input = readInput(inputs.CreateSecret, call);
    const { Name, SecretString, Description, KmsKeyId, Tags, AddReplicaRegions, ClientRequestToken: token } = input;
    const existing = this.#find(Name);
    const arn = existing?.facts.arn ?? newArn(call, Name);
    const context = { ...parameters({ Name, Description, KmsKeyId }), ...requestTags(Tags) };
    call.authorize('secretsmanager:CreateSecret', arn, context);
    if (Tags.length > 0) call.authorize('secretsmanager:TagResource', arn, context);
    if (AddReplicaRegions.length > 0) call.authorize('secretsmanager:ReplicateSecretToRegions', arn, context);
    if (existing?.deletion !== undefined) {
      throw invalidRequest(
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    // Nothing but a repetition of the call that created it may find the secret there.
    if (existing !== undefined && !existing.versions.has(token)) {
      throw new AwsError('ResourceExistsException', `The operation failed because the secret ${Name} already exists.`);
    }
    const facts = {
      arn,
      name: Name,
      description: Description,
      kmsKeyId: KmsKeyId,
      createdAt: call.now,
      replicas: AddReplicaRegions,
    };
    const secret = existing ?? new Secret(facts);
    // AWS tries the key out when a secret is bound to it, whether there is a value yet or not.
    const versionId = SecretString === undefined ? 'RequestToValidateKeyAccess' : token;
    useKey(call, secret, versionId, 'kms:GenerateDataKey', 'kms:Decrypt');
    for (const { Region, KmsKeyId: keyThere } of AddReplicaRegions) {
      const inRegion = { ...call, region: Region };
      const replica = { ...facts, arn: arn.replace(`:${call.region}:`, `:${Region}:`), kmsKeyId: keyThere };
      useKey(inRegion, new Secret(replica), versionId, 'kms:GenerateDataKey', 'kms:Encrypt', 'kms:Decrypt');
    }
    if (SecretString !== undefined) secret.versions.put(token, SecretString, [], call.now);
    if (existing === undefined) secret.tag(Tags);
    this.#secrets.set(Name, secret);
    return { ...secret.identity, ...(SecretString !== undefined && { VersionId: token }) };
  }

  /** The secret, if the caller may do this to it. One that does not exist has an ARN for IAM to judge, and no tags. */
  #authorized(call: ServiceCall, secretId: string, context: Context = {}): Secret {
    const secret = this.#find(secretId);
    const arn = secret?.facts.arn ?? (secretId.startsWith('arn:') ? secretId : newArn(call, secretId));
    const tags = secret === undefined ? {} : resourceTags(secret.tags);
    const SecretId = parameters({ SecretId: secretId });
    call.authorize(`secretsmanager:${call.operation}`, arn, { ...SecretId, ...tags, ...context });
    if (secret !== undefined) return secret;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  #living(call: ServiceCall, secretId: string, context?: Context): Secret {
    const secret = this.#authorized(call, secretId, context);
    if (secret.deletion === undefined) return secret;
    throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
  }

  /**
   * By name, ARN, or ARN without its suffix. AWS takes a hyphen and six characters at the end for the suffix, so the
   * partial ARN of a secret whose name ends in such finds nothing.
   */
  #find(id: string): Secret | undefined {
    if (!id.startsWith('arn:')) return this.#secrets.get(id);
    const isComplete = /-[A-Za-z0-9]{6}$/.test(id);
    return [...this.#secrets.values()].find(({ facts: { arn } }) => id === (isComplete ? arn : arn.slice(0, -7)));
  }
}

function newArn({ region, accountId }: ServiceCall, name: string): string {
  const suffix = Array.from({ length: 6 }, () => SUFFIX_ALPHABET.charAt(randomInt(SUFFIX_ALPHABET.length))).join('');
  return `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${suffix}`;
}

function onTheWire({ id, createdAt, labels }: SecretVersion): Record<string, unknown> {
  return { VersionId: id, CreatedDate: createdAt / 1_000, ...(labels.size > 0 && { VersionStages: [...labels] }) };
}

function pageOf<Item>(
  all: readonly Item[],
  { MaxResults, NextToken = '0' }: { readonly MaxResults: number; readonly NextToken?: string | undefined },
): { readonly items: readonly Item[]; readonly NextToken: string | undefined } {
  if (!/^\d{1,9}$/.test(NextToken)) throw new AwsError('InvalidNextTokenException', 'The NextToken value is invalid.');
  const end = Number(NextToken) + MaxResults;
  return { items: all.slice(Number(NextToken), end), NextToken: end < all.length ? String(end) : undefined };
}
