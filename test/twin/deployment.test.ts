import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnCondition, CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { appForTwin } from '../../bin/twin/synthesize.ts';
import { Twin } from '../../local/twin.ts';
import { functionOf, operatorOf, startTwin, synthesize, temporaryDirectory } from './stage.ts';

test('a template with resources that have no stand-in is refused, with all of them by name', async () => {
  const start = startTwin((stack) => {
    new Bucket(stack, 'Files');
    new StringParameter(stack, 'Setting', { stringValue: 'x' });
    new Queue(stack, 'Fine');
  });
  await expect(start).rejects.toThrow(/Files\w{8}: AWS::S3::Bucket\n {2}Setting\w{8}: AWS::SSM::Parameter$/);
});

test('a property that the twin does not know is refused, too', async () => {
  const start = startTwin((stack) => new Queue(stack, 'Q', { fifo: true }));
  await expect(start).rejects.toThrow(/Q\w{8} \(AWS::SQS::Queue\).*standard queues only/s);
});

test('what is for people only is accepted and does nothing', async () => {
  const twin = await startTwin((stack) => {
    new LogGroup(stack, 'Log');
    const metric = new Metric({ namespace: 'n', metricName: 'm' });
    const alarm = new Alarm(stack, 'Alarm', { metric, threshold: 1, evaluationPeriods: 1 });
    const topic = new Topic(stack, 'Topic');
    new CfnOutput(stack, 'AlarmArn', { value: alarm.alarmArn });
    new CfnOutput(stack, 'TopicArn', { value: topic.topicArn });
  });
  expect(twin.outputs['AlarmArn']).toMatch(/^arn:aws:cloudwatch:us-east-1:111122223333:alarm:Demo-Alarm/);
  expect(twin.outputs['TopicArn']).toMatch(/^arn:aws:sns:us-east-1:111122223333:Demo-Topic/);
});

test('a condition decides whether a resource is there', async () => {
  const twin = await startTwin(
    (stack) => {
      const here = new CfnCondition(stack, 'Here', { expression: Fn.conditionEquals(stack.region, 'eu-west-1') });
      new CfnQueue(stack, 'Yes').cfnOptions.condition = here;
      const no = new CfnQueue(stack, 'No');
      no.cfnOptions.condition = new CfnCondition(stack, 'There', { expression: Fn.conditionNot(here) });
    },
    { region: 'eu-west-1', accountId: '999900001111' },
  );
  expect(twin.queue('Yes').arn).toMatch(/^arn:aws:sqs:eu-west-1:999900001111:Demo-Yes-/);
  expect(() => twin.queue('No')).toThrow('No names 0 resources of this stack');
});

test('an update replaces code and keeps what queues hold', async () => {
  const build = (answer: number) => (stack: Stack) => {
    new Queue(stack, 'Q');
    functionOf(stack, 'F', `export const handler = async () => ${answer};`);
  };
  const twin = await startTwin(build(1));
  const client = new SQSClient(operatorOf(twin));
  await client.send(new SendMessageCommand({ QueueUrl: twin.physicalId('Q'), MessageBody: 'kept' }));
  await expect(twin.invoke('F', {})).resolves.toBe(1);
  await twin.update(synthesize(build(2)));
  await expect(twin.invoke('F', {})).resolves.toBe(2);
  expect(twin.queue('Q').messages()).toMatchObject([{ body: 'kept' }]);
});

test('an update removes what the template no longer has', async () => {
  const twin = await startTwin((stack) => {
    new Queue(stack, 'Kept');
    new Queue(stack, 'Gone');
  });
  const gone = twin.physicalId('Gone');
  await twin.update(synthesize((stack) => void new Queue(stack, 'Kept')));
  expect(() => twin.queue('Gone')).toThrow('Gone names 0 resources');
  const client = new SQSClient(operatorOf(twin));
  const sending = client.send(new SendMessageCommand({ QueueUrl: gone, MessageBody: 'x' }));
  await expect(sending).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
});

test('of several stacks one must be chosen', async () => {
  const app = appForTwin(temporaryDirectory());
  for (const id of ['One', 'Two']) new Queue(new Stack(app, id), 'Q');
  const assemblyDir = app.synth().directory;
  await expect(Twin.start({ assemblyDir })).rejects.toThrow('holds the stacks [One, Two]');
  const twin = await Twin.start({ assemblyDir, stackName: 'Two' });
  expect(twin.queue('Q').name).toMatch(/^Two-Q/);
  await twin.close();
});

test('a closed twin leaves nothing that keeps its process alive', () => {
  const assembly = synthesize((stack) => {
    new Queue(stack, 'Q');
    functionOf(stack, 'F', `export const handler = async () => { setInterval(() => {}, 1000); return 1; };`);
  });
  const script = join(temporaryDirectory(), 'script.mts');
  const twinModule = new URL('../../local/twin.ts', import.meta.url).href;
  writeFileSync(
    script,
    `import { Twin } from ${JSON.stringify(twinModule)};
     const twin = await Twin.start({ assemblyDir: ${JSON.stringify(assembly)}, startAt: Date.now() - 3_600_000 });
     twin.queue('Q').send({ body: 'x', delaySeconds: 900 });
     console.log(await twin.invoke('F', {}));
     await twin.close();`,
  );
  expect(execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: 30_000 })).toBe('1\n');
});
