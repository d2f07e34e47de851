import * as z from 'zod/mini';
import { type Account, arnOf } from '../account.ts';
import { KubernetesCluster, type WhoCalls } from '../kubernetes/cluster.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../wire/service.ts';
import { readInput } from './input.ts';

const DescribeCluster = z.strictObject({ name: z.string() });

/** Amazon EKS: where its clusters are. */
export class Eks implements JsonService {
  readonly signingName = 'eks';
  readonly #account: Account;
  readonly #whoCalls: WhoCalls;
  readonly #clusters = new Map<string, KubernetesCluster>();

  constructor(account: Account, whoCalls: WhoCalls) {
    this.#account = account;
    this.#whoCalls = whoCalls;
  }

  async createCluster(name: string): Promise<KubernetesCluster> {
    const cluster = await KubernetesCluster.start(this.#account, name, this.#whoCalls);
    this.#clusters.set(name, cluster);
    return cluster;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.close()));
  }

  handle(call: ServiceCall): unknown {
    if (call.operation !== 'DescribeCluster') throw unknownOperation('EKS', call.operation);
    const { name } = readInput(DescribeCluster, call);
    const arn = arnOf(this.#account, 'eks', `cluster/${name}`);
    call.authorize('eks:DescribeCluster', arn);
    const found = this.#clusters.get(name);
    if (found === undefined)
      throw new AwsError('ResourceNotFoundException', `No cluster found for name: ${name}.`, 404);
    const certificateAuthority = { data: Buffer.from(found.caBundle).toString('base64') };
    return { cluster: { name, arn, status: 'ACTIVE', endpoint: found.endpoint, certificateAuthority } };
  }
}
