import type { HookPlugin } from '../../core/rollout/ports.ts';
import { parseEks } from './document.ts';
import type { EksOptions } from './options.ts';

/** Secrets and workloads of an Amazon EKS cluster, or of any Kubernetes that takes EKS's tokens. */
export const eks: HookPlugin<EksOptions> = {
  kind: 'eks',
  summary: 'Amazon EKS: a kubernetes.io/tls Secret, and the workloads that read it at start',
  writesKeys: true,
  parse: parseEks,
  needs: (targets) => {
    const roles = new Set(targets.flatMap(({ options }) => options.role ?? []));
    const clusters = new Set(
      targets
        .filter(({ options: { role, connection } }) => role === undefined && connection === undefined)
        .map(({ options: { region = '*', cluster } }) => `arn:aws:eks:${region}:*:cluster/${cluster}`),
    );
    // The token is a signed sts:GetCallerIdentity, which nobody needs a permission for.
    return [
      ...(roles.size === 0 ? [] : [{ actions: ['sts:AssumeRole'], resources: [...roles] }]),
      ...(clusters.size === 0 ? [] : [{ actions: ['eks:DescribeCluster'], resources: [...clusters] }]),
    ];
  },
  create: async (options, context) => {
    const { connectEks } = await import('./connection.ts');
    const { eksHook } = await import('./hook.ts');
    return eksHook(options, await connectEks(options), context);
  },
};
