import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Account, arnOf } from '../../account.ts';
import type { Functions } from '../../lambda/functions.ts';
import { optional } from '../../stack/properties.ts';
import type { Resource, ResourceKind } from '../../stack/resource.ts';
import type { MessageAttributes } from '../sqs/queue.ts';
import type { Queues } from '../sqs/queues.ts';
import { inputFor, TargetInput } from './input.ts';
import { compilePattern, type Pattern } from './pattern.ts';

const EVENTS = 'events.amazonaws.com';

const Target = z.strictObject({
  Id: z.string(),
  Arn: z.string(),
  DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
  RetryPolicy: z.strictObject(optional('MaximumRetryAttempts', 'MaximumEventAgeInSeconds')).optional(),
  ...TargetInput,
});
const RuleProperties = z.strictObject({
  EventBusName: z.string().default('default'),
  EventPattern: z.unknown().optional(),
  ScheduleExpression: z
    .string()
    .regex(/^(rate\([1-9]\d* (minute|hour|day)s?\)|cron\(.+\))$/)
    .optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Targets: z.array(Target).max(5).default([]),
  ...optional('Name', 'Description', 'Tags'),
});
const BusProperties = z.strictObject(optional('Name', 'Description', 'Tags'));

interface Rule {
  readonly arn: string;
  readonly bus: string;
  readonly matches: Pattern | undefined;
  /** Of a schedule: milliseconds between two times that it fires; undefined for all others. */
  readonly everyMs: number | undefined;
  readonly enabled: boolean;
  readonly targets: readonly z.infer<typeof Target>[];
}

export interface EventContent {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly resources?: readonly string[];
  /** Milliseconds since the epoch; the clock's now when absent. */
  readonly time?: number | undefined;
}

/** Buses, the rules on them, and the way from an event to each target. */
export class EventBuses {
  readonly #account: Account;
  readonly #queues: Queues;
  readonly #functions: Functions;
  readonly #buses = new Set(['default']);
  readonly #rules = new Map<string, Rule>();
  /** When each schedule last fired, or was made. */
  readonly #firedAt = new Map<string, number>();

  constructor(account: Account, queues: Queues, functions: Functions) {
    this.#account = account;
    this.#queues = queues;
    this.#functions = functions;
  }

  readonly kinds: Readonly<Record<string, ResourceKind>> = {
    'AWS::Events::EventBus': {
      apply: ({ physicalId, properties }) => {
        BusProperties.parse(properties);
        this.#buses.add(physicalId);
      },
      remove: ({ physicalId }) => void this.#buses.delete(physicalId),
    },
    'AWS::Events::Rule': {
      apply: (resource) => this.#applyRule(resource),
      remove: ({ attributes }) => void this.#rules.delete(attributes['Arn'] ?? ''),
    },
  };

  has(bus: string): boolean {
    return this.#buses.has(bus);
  }

  /** Undefined: there is no such rule. */
  isEnabled(ruleArn: string): boolean | undefined {
    return this.#rules.get(ruleArn)?.enabled;
  }

  /** Puts an event on a bus and hands it to every rule that wants it; the answer is the event's id. */
  publish(bus: string, { source, detailType, detail, resources = [], time }: EventContent): string {
    const event = this.#envelope(source, detailType, detail, resources, time);
    for (const rule of this.#rules.values()) {
      if (rule.bus === bus && rule.enabled && rule.matches?.(event) === true) this.#deliver(rule, event);
    }
    return event.id;
  }

  /** Fires the schedule rules of the shortest period, and of the others those whose period is over. */
  fireSchedules(): void {
    const now = this.#account.clock.now();
    const schedules = [...this.#rules.values()].filter(({ everyMs }) => everyMs !== undefined);
    const shortest = Math.min(...schedules.map(({ everyMs = Infinity }) => everyMs));
    for (const rule of schedules) {
      const { arn, everyMs = 0, enabled } = rule;
      if (!enabled || (everyMs > shortest && now - (this.#firedAt.get(arn) ?? now) < everyMs)) continue;
      this.#firedAt.set(arn, now);
      this.#deliver(rule, this.#envelope('aws.events', 'Scheduled Event', {}, [rule.arn], undefined));
    }
  }

  #envelope(source: string, detailType: string, detail: unknown, resources: readonly string[], at?: number) {
    const { accountId: account, region, clock } = this.#account;
    const time = `${new Date(at ?? clock.now()).toISOString().slice(0, 19)}Z`;
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': detailType,
      source,
      account,
      time,
      region,
      resources,
      detail,
    };
  }

  #applyRule({ properties, attributes }: Resource): void {
    const { EventBusName, EventPattern, ScheduleExpression, State, Targets } = RuleProperties.parse(properties);
    for (const { Arn } of Targets) {
      if (!/^arn:aws:(sqs|lambda|sns):/.test(Arn)) throw new Error(`the twin has no rule target like ${Arn}`);
    }
    const arn = attributes['Arn'] ?? '';
    if (!this.#firedAt.has(arn)) this.#firedAt.set(arn, this.#account.clock.now());
    this.#rules.set(arn, {
      arn,
      bus: EventBusName.split('/').at(-1) ?? EventBusName,
      matches: EventPattern === undefined ? undefined : compilePattern(EventPattern),
      everyMs: ScheduleExpression === undefined ? undefined : periodMs(ScheduleExpression),
      enabled: State === 'ENABLED',
      targets: Targets,
    });
  }

  #deliver(rule: Rule, event: Readonly<Record<string, unknown>>): void {
    for (const target of rule.targets) {
      const input = inputFor(target, event, rule.arn);
      try {
        if (target.Arn.startsWith(arnOf(this.#account, 'lambda', ''))) {
          this.#functions.invokeAsService(target.Arn, EVENTS, rule.arn, JSON.parse(input));
        } else if (target.Arn.startsWith(arnOf(this.#account, 'sqs', ''))) {
          this.#queues.sendAsService(target.Arn, EVENTS, rule.arn, { body: input });
        }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#account.report(rule.arn, `delivery to ${target.Arn} failed: ${message}`);
        if (target.DeadLetterConfig !== undefined) this.#bury(rule, target, event, message);
      }
    }
  }

  /** A refusal by a policy is not retried, in AWS either: the event goes to the target's dead-letter queue at once. */
  #bury(rule: Rule, { Arn, DeadLetterConfig }: z.infer<typeof Target>, event: unknown, message: string): void {
    const attributes: MessageAttributes = {
      RULE_ARN: { DataType: 'String', StringValue: rule.arn },
      TARGET_ARN: { DataType: 'String', StringValue: Arn },
      ERROR_MESSAGE: { DataType: 'String', StringValue: message },
    };
    try {
      const letter = { body: JSON.stringify(event), attributes };
      this.#queues.sendAsService(DeadLetterConfig?.Arn ?? '', EVENTS, rule.arn, letter);
    } catch (error) {
      this.#account.report(rule.arn, `the dead-letter queue failed, too: ${String(error)}`);
    }
  }
}

/** A cron expression fires with whatever else does. */
function periodMs(expression: string): number {
  const [, count = '0', unit = 'minute'] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const minutes = { minute: 1, hour: 60, day: 1_440 }[unit] ?? 1;
  return Number(count) * minutes * 60_000;
}
