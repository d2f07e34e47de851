import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';

/** Somebody else's app: all it knows of Everleaf is the name of its bus, and what is published there. */
const app = new App();
const stack = new Stack(app, 'Subscriber');
const queue = new Queue(stack, 'Rotations');
new Rule(stack, 'Rule', {
  eventBus: EventBus.fromEventBusName(stack, 'Bus', String(app.node.tryGetContext('busName'))),
  eventPattern: { source: ['everleaf'], detailType: ['Certificate Rotated', 'Certificate Renewal Failed'] },
  targets: [new SqsQueue(queue)],
});
new CfnOutput(stack, 'QueueUrl', { value: queue.queueUrl });
app.synth();
