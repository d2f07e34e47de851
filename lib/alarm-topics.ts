import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { EverleafProps } from './everleaf-props.ts';

/** Who is told of which alarms. */
export interface AlarmTopics {
  readonly pageTopics: readonly ITopic[];
  readonly noticeTopics: readonly ITopic[];
}

/** The topics given, and one for the address given, which is told of everything. */
export function topicsOf(
  scope: Construct,
  { alarmTopic, noticeTopic, alarmEmail }: Pick<EverleafProps, 'alarmTopic' | 'noticeTopic' | 'alarmEmail'>,
): AlarmTopics {
  const everything = alarmEmail === undefined ? [] : [topicFor(scope, alarmEmail)];
  return {
    pageTopics: [...(alarmTopic === undefined ? [] : [alarmTopic]), ...everything],
    noticeTopics: [...(noticeTopic === undefined ? [] : [noticeTopic]), ...everything],
  };
}

function topicFor(scope: Construct, address: string): Topic {
  if (!/^[^@\s]+@[^@\s]+$/.test(address)) {
    throw new Error(`Everleaf: alarmEmail is "${address}"; it must be one address, such as oncall@example.com`);
  }
  const topic = new Topic(scope, 'AlarmTopic', { displayName: 'Everleaf alarms', enforceSSL: true });
  topic.addSubscription(new EmailSubscription(address));
  // A topic that has a policy has no longer the one by which the account's own alarms may publish.
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  return topic;
}
