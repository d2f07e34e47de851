import * as z from 'zod';
import type { Twin } from '../../../local/twin.ts';
import type { DataPoint } from './board.ts';

const emf = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string(), Unit: z.string() })),
      }),
    ),
  }),
});

/** What CloudWatch makes of a line of a function's log: data points, where it is in the embedded metric format. */
export function readEmf(line: string): readonly DataPoint[] {
  if (!line.includes('"_aws"')) return [];
  const { _aws, ...members } = emf.parse(JSON.parse(line));
  return _aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) => {
      const dimensions = Object.fromEntries(names.map((name) => [name, z.string().parse(members[name])]));
      return Metrics.flatMap(({ Name }) =>
        z
          .union([z.number(), z.array(z.number())])
          .transform((value) => [value].flat())
          .parse(members[Name])
          .map((value) => ({ namespace: Namespace, metric: Name, dimensions, at: _aws.Timestamp, value })),
      );
    }),
  );
}

/** What CloudWatch knows of an account: what functions say in their logs, and what AWS's services measure themselves. */
export class Measurements {
  readonly #twin: Twin;
  readonly #queues: readonly string[];
  readonly #sampled: DataPoint[] = [];
  readonly #logged: DataPoint[] = [];
  /** Lines of the log that were read. */
  #linesRead = 0;

  /** `queues`: logical ids. */
  constructor(twin: Twin, queues: readonly string[]) {
    this.#twin = twin;
    this.#queues = queues;
  }

  get points(): readonly DataPoint[] {
    const { logs } = this.#twin;
    for (; this.#linesRead < logs.length; this.#linesRead++) {
      this.#logged.push(...readEmf(logs[this.#linesRead]?.line ?? ''));
    }
    return [...this.#logged, ...this.#ofFunctions(), ...this.#ofRules(), ...this.#sampled];
  }

  /** What queues look like now; services measure that once a minute. */
  sample(): void {
    const at = this.#twin.clock.now();
    for (const logicalId of this.#queues) {
      const dimensions = { QueueName: this.#twin.physicalId(logicalId).split('/').at(-1) ?? '' };
      const messages = this.#twin.queue(logicalId).messages();
      const visible = messages.filter(({ visibleAt }) => visibleAt <= at).length;
      const ageMs = Math.max(0, ...messages.map(({ sentAt }) => at - sentAt));
      const point = (metric: string, value: number): DataPoint => ({
        namespace: 'AWS/SQS',
        metric,
        dimensions,
        at,
        value,
      });
      this.#sampled.push(
        point('ApproximateNumberOfMessagesVisible', visible),
        point('ApproximateAgeOfOldestMessage', ageMs / 1_000),
      );
    }
  }

  #ofFunctions(): readonly DataPoint[] {
    return this.#twin.invocations.map(({ at, function: logicalId, ok }) => ({
      namespace: 'AWS/Lambda',
      metric: 'Errors',
      dimensions: { FunctionName: this.#twin.physicalId(logicalId) },
      at,
      value: ok ? 0 : 1,
    }));
  }

  #ofRules(): readonly DataPoint[] {
    return this.#twin.problems.flatMap(({ at, source, message }) => {
      const [, bus, rule] = /^arn:aws:events:.*:rule\/([^/]+)\/([^/]+)$/.exec(source) ?? [];
      if (bus === undefined || rule === undefined || !message.startsWith('delivery to ')) return [];
      return [
        {
          namespace: 'AWS/Events',
          metric: 'FailedInvocations',
          dimensions: { EventBusName: bus, RuleName: rule },
          at,
          value: 1,
        },
      ];
    });
  }
}
