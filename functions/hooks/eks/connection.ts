import { type Cluster, DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { CLIENT_SETTINGS } from '../../aws/client.ts';
import { awsFailure, failureName } from '../../aws/failures.ts';
import { PermanentError, TransientError } from '../../core/errors.ts';
import { type KubernetesApi, kubernetesApi, type Server } from './api.ts';
import type { EksOptions } from './options.ts';
import { clusterToken } from './token.ts';

/** Connects to the cluster's API server, as the function's role or the one to assume. */
export async function connectEks(options: EksOptions): Promise<KubernetesApi> {
  const credentials =
    options.role === undefined
      ? {}
      : { credentials: (await import('../../aws/assumed-role.ts')).assumedRole(options.role, options.region) };
  const region = options.region === undefined ? {} : { region: options.region };
  return eksApi(options, new EKSClient({ ...CLIENT_SETTINGS, ...region, ...credentials }));
}

/** `client` finds the API server, and has the credentials that the token is signed with. */
export async function eksApi({ cluster, connection }: EksOptions, client: EKSClient): Promise<KubernetesApi> {
  const server = connection ?? (await findServer(cluster, client));
  const { credentials, region } = client.config;
  return kubernetesApi(cluster, server, async () =>
    clusterToken(cluster, { credentials: await credentials(), region: await region() }, new Date()),
  );
}

async function findServer(name: string, client: EKSClient): Promise<Server> {
  const doing = `reading where the API server of EKS cluster ${name} is`;
  let cluster: Cluster | undefined;
  try {
    ({ cluster } = await client.send(new DescribeClusterCommand({ name })));
  } catch (error) {
    if (failureName(error) !== 'ResourceNotFoundException') throw awsFailure(error, doing);
    const remedy = 'correct the DeployHook, or remove the cluster from it';
    throw new PermanentError('TargetMissing', `EKS cluster ${name} is not there; ${remedy}`, { cause: error });
  }
  const { endpoint, certificateAuthority } = cluster ?? {};
  if (endpoint === undefined || certificateAuthority?.data === undefined) {
    throw new TransientError('ClusterNotReady', `${doing}: it has none yet (its state is ${cluster?.status})`);
  }
  return { endpoint, caBundle: Buffer.from(certificateAuthority.data, 'base64').toString('utf8') };
}
