import * as z from 'zod/mini';

const Name = z.string().check(z.minLength(1), z.maxLength(2_048));
const Tags = z.array(z.strictObject({ key: z.string(), value: z.string() }));

export const DescribeServices = z.strictObject({
  cluster: Name,
  services: z.array(Name).check(z.minLength(1), z.maxLength(10)),
  include: z._default(z.array(z.literal('TAGS')), []),
});
export const UpdateService = z.strictObject({
  cluster: Name,
  service: Name,
  forceNewDeployment: z._default(z.boolean(), false),
  taskDefinition: z.optional(Name),
});
export const ListServiceDeployments = z.strictObject({
  cluster: Name,
  service: Name,
  maxResults: z._default(z.number().check(z.minimum(1), z.maximum(100)), 20),
  nextToken: z.optional(z.string().check(z.regex(/^\d{1,6}$/))),
});
export const DescribeServiceDeployments = z.strictObject({
  serviceDeploymentArns: z.array(Name).check(z.minLength(1), z.maxLength(20)),
});
export const TagResource = z.strictObject({ resourceArn: Name, tags: Tags });
export const DescribeTaskDefinition = z.strictObject({
  taskDefinition: Name,
  include: z._default(z.array(z.literal('TAGS')), []),
});

export type Container = z.infer<typeof Container>;
const Container = z.looseObject({
  name: Name,
  environment: z._default(z.array(z.strictObject({ name: Name, value: z.string() })), []),
  secrets: z._default(z.array(z.strictObject({ name: Name, valueFrom: Name })), []),
});
/** Of what is only carried along, the shape does not matter here. */
const carried = z.optional(z.unknown());
export type RegisteredFields = z.infer<typeof RegisterTaskDefinition>;
export const RegisterTaskDefinition = z.strictObject({
  family: z.string().check(z.regex(/^[\w-]{1,255}$/)),
  containerDefinitions: z.array(Container).check(z.minLength(1)),
  taskRoleArn: z.optional(Name),
  executionRoleArn: z.optional(Name),
  tags: z.optional(z.array(z.strictObject({ key: z.string(), value: z.string() })).check(z.minLength(1))),
  networkMode: carried,
  volumes: carried,
  placementConstraints: carried,
  requiresCompatibilities: carried,
  cpu: carried,
  memory: carried,
  pidMode: carried,
  runtimePlatform: carried,
});
