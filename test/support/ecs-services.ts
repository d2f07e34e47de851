import type { EcsService } from '../../local/services/ecs/service.ts';
import type { Program } from '../../local/workloads/programs.ts';
import type { Deployment } from './deployment.ts';

/** A service of the twin's ECS that runs this program behind a load balancer. */
export function createEcsService({ twin }: Deployment, name: string, program: Program): Promise<EcsService> {
  const containerDefinitions = [{ name: 'web', image: 'web:1', environment: [], secrets: [] }];
  const taskDefinition = twin.ecs.register({ family: name, containerDefinitions });
  return twin.ecs.createService({ cluster: 'prod', name, taskDefinition }, program);
}

/** A hook over the certificate of that name and its one service, proved at the load balancer. */
export const ecsHookYaml = (name: string, service: EcsService, extra = ''): string => `apiVersion: everleaf.dev/v1
kind: DeployHook
metadata: { name: ${name} }
spec:
  certificateNames: [${name}]
  ecs: { cluster: prod, services: [${name}] }
  endpoints:
    - { host: 127.0.0.1, port: ${service.balancer.port}, serverName: ${name}.internal.example, allowLoopback: true }
${extra}`;
