import type { Template } from './assembly.ts';

const CUSTOM = 'AWS::CloudFormation::CustomResource';

/** Types that do nothing here, each with the reason why that is no lie to the functions. */
export const INERT: Readonly<Record<string, string>> = {
  'AWS::CDK::Metadata': 'tells AWS which constructs were used',
  'AWS::Logs::LogGroup': 'what functions print is in twin.logs',
  'AWS::Logs::MetricFilter': 'the twin keeps no metrics',
  'AWS::Logs::QueryDefinition': 'a saved query, for people',
  'AWS::CloudWatch::Alarm': 'the twin keeps no metrics',
  'AWS::CloudWatch::CompositeAlarm': 'the twin keeps no metrics',
  'AWS::CloudWatch::Dashboard': 'a page for people',
  'AWS::Events::Archive': 'keeps what happened for a replay, and the twin replays nothing',
  'AWS::KMS::Alias': 'grants and calls name the key itself',
  'AWS::SNS::Topic': 'nobody is notified; only alarms publish to it',
  'AWS::SNS::TopicPolicy': 'nothing publishes here',
  'AWS::SNS::Subscription': 'nobody is notified',
};

/** CloudFormation has two spellings for a resource that a function provides. */
export function kindOf(type: string): string {
  return type.startsWith('Custom::') ? CUSTOM : type;
}

/** A stack is refused whole, before anything of it lives: a resource that is silently absent would make the twin lie. */
export function refuseUnknownTypes(template: Template, live: ReadonlySet<string>): void {
  const refused = Object.entries(template.Resources)
    .filter(([, { Type }]) => !live.has(kindOf(Type)) && !Object.hasOwn(INERT, Type))
    .map(([logicalId, { Type }]) => `  ${logicalId}: ${Type}`);
  if (refused.length === 0) return;
  throw new Error(`the twin has no stand-in for these resources of the template:\n${refused.join('\n')}`);
}
