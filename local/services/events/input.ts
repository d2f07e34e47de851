import { z } from 'zod';

/** How a target wants an event: whole, a part of it, a constant, or filled into a template. */
export const TargetInput = {
  Input: z.string().optional(),
  InputPath: z.string().optional(),
  InputTransformer: z
    .strictObject({ InputPathsMap: z.record(z.string(), z.string()).default({}), InputTemplate: z.string() })
    .optional(),
};

export interface TargetInput {
  readonly Input?: string | undefined;
  readonly InputPath?: string | undefined;
  readonly InputTransformer?:
    { readonly InputPathsMap: Readonly<Record<string, string>>; readonly InputTemplate: string } | undefined;
}

/** The text that a target receives: a queue as the message's body, a function as its event. */
export function inputFor(target: TargetInput, event: Readonly<Record<string, unknown>>, ruleArn: string): string {
  const { Input, InputPath, InputTransformer } = target;
  if (Input !== undefined) return Input;
  if (InputPath !== undefined) return JSON.stringify(at(InputPath, event) ?? null);
  if (InputTransformer === undefined) return JSON.stringify(event);
  const values = new Map<string, unknown>([
    ['aws.events.rule-arn', ruleArn],
    ['aws.events.rule-name', ruleArn.split('/').at(-1)],
    ['aws.events.event.json', event],
    ['aws.events.event.ingestion-time', event['time']],
  ]);
  for (const [name, path] of Object.entries(InputTransformer.InputPathsMap)) values.set(name, at(path, event));
  return fill(InputTransformer.InputTemplate, values);
}

/** Inside quotes a value is text among text; outside it is JSON. */
function fill(template: string, values: ReadonlyMap<string, unknown>): string {
  return template.replaceAll(/"(?:[^"\\]|\\.)*"|<([^<>]+)>/g, (token, name: string | undefined) => {
    if (name !== undefined) return JSON.stringify(values.get(name) ?? null);
    return token.replaceAll(/<([^<>]+)>/g, (_whole, inner: string) => {
      const value = values.get(inner) ?? '';
      return JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value)).slice(1, -1);
    });
  });
}

/** The JSONPath that EventBridge takes: names and indices, no filters. */
function at(path: string, event: unknown): unknown {
  if (!/^\$(\.[\w-]+|\[\d+\])*$/.test(path)) throw new Error(`the twin does not know the path ${path}`);
  return [...path.matchAll(/[\w-]+/g)].reduce<unknown>(
    (value, [step]) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined),
    event,
  );
}
