import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Asset } from '../template/assembly.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../wire/service.ts';

const GetObject = z.strictObject({ Bucket: z.string(), Key: z.string() });

/** The bucket that `cdk deploy` uploads assets to, straight from the assembly. It is read-only. */
export class S3 implements JsonService {
  readonly signingName = 's3';
  /** By `bucket/key`. Those of an earlier assembly stay, as they do in a real bucket. */
  readonly #assets = new Map<string, Asset>();

  add(asset: Asset): void {
    this.#assets.set(`${asset.bucket}/${asset.key}`, asset);
  }

  asset(bucket: string, key: string): Asset {
    const asset = this.#assets.get(`${bucket}/${key}`);
    if (asset === undefined) throw new AwsError('NoSuchKey', `the assembly has no asset ${bucket}/${key}`, 404);
    return asset;
  }

  async handle(call: ServiceCall): Promise<Buffer> {
    if (call.operation !== 'GetObject') throw unknownOperation('S3', call.operation);
    const { Bucket, Key } = GetObject.parse(call.input);
    call.authorize('s3:GetObject', `arn:aws:s3:::${Bucket}/${Key}`);
    const { packaging, path } = this.asset(Bucket, Key);
    if (packaging === 'zip')
      throw unknownOperation('S3', `GetObject of a directory (${path}), which cdk deploy would zip`);
    return await readFile(path);
  }
}
