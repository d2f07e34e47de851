import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { LambdaFunction, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Code, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Everleaf } from 'everleaf';

const app = new App();
const stack = new Stack(app, 'Everleaf');
const everleaf = new Everleaf(stack, 'Everleaf', { manifest: 'certificates' });

// A queue is told of every new version, and of every failure.
const queue = new Queue(stack, 'Happenings', { enforceSSL: true });
everleaf.onRotated().addTarget(new SqsQueue(queue));
everleaf.onFailed().addTarget(new SqsQueue(queue));

// A function is called when one certificate changes, and may read it.
const reload = new LambdaFn(stack, 'Reload', {
  runtime: Runtime.NODEJS_24_X,
  handler: 'index.handler',
  code: Code.fromAsset('reload'),
});
everleaf.onRotated('shop').addTarget(new LambdaFunction(reload));
everleaf.grantRead('shop', reload);

new CfnOutput(stack, 'HappeningsUrl', { value: queue.queueUrl });
