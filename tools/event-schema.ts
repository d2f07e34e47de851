import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { EVENT_DETAILS, EVENT_SOURCE } from '../functions/core/events.ts';

export const EVENT_SCHEMA_FILE = join(import.meta.dirname, '..', 'docs', 'events.schema.json');

/** The published JSON Schema of everything on the bus: one definition a detail-type. */
export function eventSchema(): string {
  const details = Object.entries(EVENT_DETAILS).map(([detailType, schema]) => {
    const { $schema: _dialect, ...definition } = z.toJSONSchema(schema, { io: 'input' });
    return [detailType, definition] as const;
  });
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Everleaf events, schema version 1',
    description: `EventBridge events of source "${EVENT_SOURCE}": the detail of each detail-type.`,
    oneOf: details.map(([detailType]) => ({
      type: 'object',
      required: ['source', 'detail-type', 'detail'],
      properties: {
        source: { const: EVENT_SOURCE },
        'detail-type': { const: detailType },
        detail: { $ref: `#/$defs/${encodeURIComponent(detailType)}` },
      },
    })),
    $defs: Object.fromEntries(details),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (import.meta.main) writeFileSync(EVENT_SCHEMA_FILE, eventSchema());
