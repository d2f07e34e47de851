import * as z from 'zod/mini';

const NAME = String.raw`[A-Za-z0-9/_+=.@!-]{1,512}`;
const SecretId = z.string().check(z.regex(new RegExp(`^(arn:[^*?]+|${NAME})$`)));
/** The quota is in bytes, and a string's length is not. */
const SecretString = z.string().check(
  z.minLength(1),
  z.refine((value) => Buffer.byteLength(value) <= 65_536),
);
/** A version's id is the token of the call that wrote it. SDKs make one up where the caller gives none. */
const VersionId = z.string().check(z.minLength(32), z.maxLength(64));
const VersionStage = z.string().check(z.minLength(1), z.maxLength(256));
const TagKey = z.string().check(z.minLength(1), z.maxLength(128));
const Tags = z.array(z.strictObject({ Key: TagKey, Value: z.string().check(z.maxLength(256)) }));
const page = {
  MaxResults: z._default(z.int().check(z.minimum(1), z.maximum(100)), 100),
  NextToken: z.optional(z.string()),
};

export const OfSecret = z.strictObject({ SecretId });
const Replicas = z.array(z.strictObject({ Region: z.string(), KmsKeyId: z.optional(z.string()) }));
export const CreateSecret = z.strictObject({
  Name: z.string().check(z.regex(new RegExp(`^${NAME}$`))),
  ClientRequestToken: VersionId,
  Description: z.optional(z.string()),
  KmsKeyId: z.optional(z.string()),
  SecretString: z.optional(SecretString),
  Tags: z._default(Tags, []),
  AddReplicaRegions: z._default(Replicas, []),
});
export const PutSecretValue = z.strictObject({
  SecretId,
  ClientRequestToken: VersionId,
  SecretString,
  VersionStages: z._default(z.array(VersionStage).check(z.minLength(1), z.maxLength(20)), ['AWSCURRENT']),
});
export const GetSecretValue = z.strictObject({
  SecretId,
  VersionId: z.optional(VersionId),
  VersionStage: z.optional(VersionStage),
});
export const UpdateSecretVersionStage = z.strictObject({
  SecretId,
  VersionStage,
  RemoveFromVersionId: z.optional(VersionId),
  MoveToVersionId: z.optional(VersionId),
});
export const ListSecretVersionIds = z.strictObject({
  SecretId,
  IncludeDeprecated: z._default(z.boolean(), false),
  ...page,
});
const Filter = z.strictObject({ Key: z.enum(['name', 'tag-key', 'tag-value']), Values: z.array(z.string()) });
export const ListSecrets = z.strictObject({
  Filters: z._default(z.array(Filter), []),
  IncludePlannedDeletion: z._default(z.boolean(), false),
  ...page,
});
export const TagResource = z.strictObject({ SecretId, Tags });
export const UntagResource = z.strictObject({ SecretId, TagKeys: z.array(TagKey) });
export const DeleteSecret = z.strictObject({
  SecretId,
  RecoveryWindowInDays: z.optional(z.int().check(z.minimum(7), z.maximum(30))),
  ForceDeleteWithoutRecovery: z._default(z.boolean(), false),
});

export const ReplicateSecretToRegions = z.strictObject({ SecretId, AddReplicaRegions: Replicas });
export const RemoveRegionsFromReplication = z.strictObject({ SecretId, RemoveReplicaRegions: z.array(z.string()) });

export type TagList = z.output<typeof Tags>;
export type SecretFilter = z.output<typeof Filter>;
