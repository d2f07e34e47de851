import { App, Duration, Stack } from 'aws-cdk-lib';
import { Port, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Cluster, ContainerImage, FargateService, FargateTaskDefinition, LogDrivers } from 'aws-cdk-lib/aws-ecs';
import { Everleaf } from 'everleaf';

const app = new App();
const certificates = new Stack(app, 'Certificates');
const everleaf = new Everleaf(certificates, 'Everleaf', { manifest: 'certificates' });

// In a stack of its own: a service that fails to start rolls back without taking certificates along.
const stack = new Stack(app, 'Shop');
const secret = everleaf.secret('shop');

const task = new FargateTaskDefinition(stack, 'Task', { cpu: 256, memoryLimitMiB: 512 });
task.addContainer('Server', {
  image: ContainerImage.fromAsset('service'),
  environment: { CERTIFICATE_SECRET: secret.secretName, PORT: '8443' },
  portMappings: [{ containerPort: 8443 }],
  logging: LogDrivers.awsLogs({ streamPrefix: 'shop' }),
});
everleaf.grantRead('shop', task.taskRole);

const vpc = new Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 });
const service = new FargateService(stack, 'Service', {
  cluster: new Cluster(stack, 'Cluster', { vpc }),
  taskDefinition: task,
  desiredCount: 2,
  minHealthyPercent: 100,
  circuitBreaker: { rollback: true },
});
service.connections.allowFromAnyIpv4(Port.tcp(8443), 'HTTPS');

// No task is started before there is a certificate for it.
service.node.addDependency(everleaf.ready('shop', { scope: stack, timeout: Duration.minutes(10) }));
