import { type Duration, Fn } from 'aws-cdk-lib';
import { type IMetric, Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { METRIC_NAMESPACE, type MetricName } from '../functions/core/metrics.ts';

export type Statistic = 'Minimum' | 'Maximum' | 'Average' | 'Sum' | 'p50' | 'p99';

/** Powertools writes the deployment under this name. */
const DEPLOYMENT_DIMENSION = 'service';

/** One of the metrics that a deployment's functions publish. */
export const metricOf = (deployment: string, metricName: MetricName, options: MetricOptions): Metric =>
  new Metric({
    ...options,
    namespace: METRIC_NAMESPACE,
    metricName,
    dimensionsMap: { [DEPLOYMENT_DIMENSION]: deployment },
  });

/** The same, for alarms and graphs of one deployment. */
export const deploymentMetric =
  (deployment: string) =>
  (metricName: MetricName, statistic: Statistic, period: Duration): Metric =>
    metricOf(deployment, metricName, { statistic, period });

/** Events that a rule matched and could not hand over. The rules of a bus of one's own are counted by both names. */
export const failedInvocations = (rule: Rule, bus: EventBus, period: Duration): IMetric =>
  new Metric({
    namespace: 'AWS/Events',
    metricName: 'FailedInvocations',
    // `Ref` of such a rule is `bus|rule`; its ARN ends in `/bus/rule`.
    dimensionsMap: { EventBusName: bus.eventBusName, RuleName: Fn.select(2, Fn.split('/', rule.ruleArn)) },
    statistic: 'Sum',
    period,
  });
