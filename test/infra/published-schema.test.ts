import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EVENT_DETAILS, encodeDetail, parseEvent, parseHint, type Rotated } from '../../functions/core/events.ts';
import { versionId } from '../../functions/core/certificate.ts';
import { EVENT_SCHEMA_FILE, eventSchema } from '../../tools/event-schema.ts';
import { aLeaf, id, ISSUER, NOON } from '../support/builders.ts';

const detail: Rotated = {
  schemaVersion: '1',
  certificate: id('payments/orders'),
  generation: 7,
  issuerRef: ISSUER.ref,
  labels: { team: 'payments' },
  dnsNames: ['orders.internal.example'],
  ...aLeaf(),
  store: { kind: 'SecretsManager', ref: 'arn', version: versionId.parse('v7') },
  reason: 'RenewalWindowReached',
};

describe('events', () => {
  it('are described by the schema in docs/ (mend with: node tools/event-schema.ts)', () => {
    expect(readFileSync(EVENT_SCHEMA_FILE, 'utf8')).toBe(eventSchema());
  });

  it('come back from the bus as they were published', () => {
    const sent = {
      source: 'everleaf',
      'detail-type': 'Certificate Rotated',
      detail: JSON.parse(encodeDetail({ type: 'Certificate Rotated', detail })) as unknown,
    };
    expect(parseEvent(sent)).toEqual({ type: 'Certificate Rotated', detail });
    expect(sent.detail).toMatchObject({ notBefore: new Date(NOON).toISOString() });
  });

  it('are refused by name when they are not ours or not of this version', () => {
    expect(() => parseEvent({ source: 'aws.ec2' })).toThrow(
      expect.objectContaining({ code: 'NotAnEverleafEvent' }) as Error,
    );
    const unknown = { source: 'everleaf', 'detail-type': 'Certificate Lost', detail: {} };
    expect(() => parseEvent(unknown)).toThrow(expect.objectContaining({ code: 'UnknownEvent' }) as Error);
  });

  it.each([
    '',
    'null',
    '{',
    '{"schemaVersion":"1"}',
    '{"schemaVersion":"2","certificate":"a/b"}',
    '{"schemaVersion":"1","certificate":"../x"}',
  ])('as hints are unreadable when they are %j', (body) => {
    expect(() => parseHint(body)).toThrow(expect.objectContaining({ code: 'UnreadableHint' }) as Error);
  });

  it('carry no field that could hold a key', () => {
    expect(JSON.stringify(Object.keys(EVENT_DETAILS))).not.toMatch(/key/i);
    expect(eventSchema()).not.toMatch(/private|tls\.key|secretString/i);
  });
});
