import assert from 'node:assert/strict';
import { encodeDetail, EVENT_SOURCE, parseEvent, parseHint } from '../../functions/core/events.ts';
import { jsonInputs } from './json-inputs.ts';
import { withKeys } from './planted-keys.ts';
import { assertPrototypesPristine, assertRefused, outcomeOf } from './promises.ts';
import type { Target } from './target.ts';

/** What a bus brings: events to subscribers, hints to our own queue. */
export const events: Target = {
  name: 'events',
  extension: '.json',
  quickRuns: 800,
  inputs: jsonInputs,
  examine: async (input) => {
    const text = withKeys(input.toString());
    const hint = await outcomeOf(() => parseHint(text));
    if (hint.ok) assert.deepEqual(parseHint(JSON.stringify(hint.value)), hint.value);
    else assertRefused(hint, 'UnreadableHint');
    const event = jsonIn(text);
    if (event !== undefined) await examineEvent(event);
    assertPrototypesPristine();
  },
};

/** EventBridge and Lambda read the JSON; what it is of is ours. */
async function examineEvent(event: unknown): Promise<void> {
  const read = await outcomeOf(() => parseEvent(event));
  if (!read.ok) return assertRefused(read, 'NotAnEverleafEvent', 'UnknownEvent');
  const detail = encodeDetail(read.value);
  const again = parseEvent({ source: EVENT_SOURCE, 'detail-type': read.value.type, detail: JSON.parse(detail) });
  assert.deepEqual(again, read.value);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
