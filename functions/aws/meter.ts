import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import { METRIC_NAMESPACE, METRICS, type Meter } from '../core/metrics.ts';

/** Measurements of one invocation, written to the log as one line that CloudWatch reads (embedded metric format). */
export interface LogMeter extends Meter {
  /** Writes what was recorded since the last time. To be called however the invocation ends. */
  readonly publish: () => void;
}

export function logMeter(deployment: string): LogMeter {
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: deployment });
  return {
    record: (name, value) => void metrics.addMetric(name, MetricUnit[METRICS[name].unit], value),
    publish: () => {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}
