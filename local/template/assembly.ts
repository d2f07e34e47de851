import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const TemplateResource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string().transform((id) => [id]), z.array(z.string())]).default([]),
  Condition: z.string().optional(),
  DeletionPolicy: z.string().default('Delete'),
});
const Template = z.looseObject({
  Resources: z.record(z.string(), TemplateResource),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown(), Condition: z.string().optional() })).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  Parameters: z.record(z.string(), z.looseObject({ Default: z.unknown().optional() })).default({}),
});
const Manifest = z.looseObject({
  artifacts: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      environment: z.string().default(''),
      properties: z
        .looseObject({
          templateFile: z.string().optional(),
          stackName: z.string().optional(),
          file: z.string().optional(),
        })
        .default({}),
    }),
  ),
});
const AssetManifest = z.looseObject({
  files: z
    .record(
      z.string(),
      z.looseObject({
        source: z.looseObject({ path: z.string(), packaging: z.enum(['file', 'zip']) }),
        destinations: z.record(z.string(), z.looseObject({ bucketName: z.string(), objectKey: z.string() })),
      }),
    )
    .default({}),
});

export type Template = z.infer<typeof Template>;
export type TemplateResource = z.infer<typeof TemplateResource>;

/** A file or directory that `cdk deploy` would upload; `bucket` and `key` hold pseudo-parameters still. */
export interface Asset {
  readonly bucket: string;
  readonly key: string;
  readonly path: string;
  readonly packaging: 'file' | 'zip';
}

export interface Assembly {
  readonly stackName: string;
  /** Absent in a stack that is environment-agnostic. */
  readonly accountId: string | undefined;
  readonly region: string | undefined;
  readonly template: Template;
  readonly assets: readonly Asset[];
}

/** Reads one stack of a cloud assembly, as `cdk synth` leaves it in `cdk.out`. */
export function loadAssembly(directory: string, stackName?: string): Assembly {
  const dir = resolve(directory);
  const artifacts = Object.entries(Manifest.parse(readJson(join(dir, 'manifest.json'))).artifacts);
  const stacks = artifacts
    .filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack')
    .map(([id, artifact]) => ({ ...artifact, name: artifact.properties.stackName ?? id }));
  const candidates = stacks.filter((stack) => stackName === undefined || stack.name === stackName);
  const [stack, ...others] = candidates;
  if (stack?.properties.templateFile === undefined || others.length > 0) {
    const names = stacks.map(({ name }) => name).join(', ');
    throw new Error(`${dir} holds the stacks [${names}]; ${stackName ?? 'a stackName'} must pick exactly one of them`);
  }
  const [, accountId, region] = /^aws:\/\/(\d{12})\/([a-z0-9-]+)$/.exec(stack.environment) ?? [];
  return {
    stackName: stack.name,
    accountId,
    region: region === 'unknown-region' ? undefined : region,
    template: Template.parse(readJson(join(dir, stack.properties.templateFile))),
    assets: artifacts.flatMap(([, { type, properties }]) =>
      type === 'cdk:asset-manifest' && properties.file !== undefined ? assetsOf(dir, properties.file) : [],
    ),
  };
}

function assetsOf(dir: string, file: string): Asset[] {
  const { files } = AssetManifest.parse(readJson(join(dir, file)));
  return Object.values(files).flatMap(({ source, destinations }) =>
    Object.values(destinations).map(({ bucketName, objectKey }) => ({
      bucket: bucketName,
      key: objectKey,
      // Absolute where assets were left where they are.
      path: resolve(dir, source.path),
      packaging: source.packaging,
    })),
  );
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
