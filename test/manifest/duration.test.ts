import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daysAsHours, formatDuration, parseDuration } from '../../functions/core/manifest/duration.ts';

describe('a duration', () => {
  it.each([
    ['2160h', 7_776_000],
    ['1h30m', 5_400],
    ['1.5h', 5_400],
    ['1h0m0s', 3_600],
    ['.5m', 30],
    ['5.s', 5],
    ['500ms', 0.5],
    ['+90s', 90],
    ['-90s', -90],
    ['0', 0],
    ['1m1m', 120],
    ['1000000us', 1],
    ['1000000µs', 1],
    ['1000000μs', 1],
    ['1000000000ns', 1],
    ['2562047h', 9_223_369_200],
  ])('%s is read as Go reads it', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each([
    '',
    '-',
    '+',
    '1',
    '1.5',
    '90d',
    '1 h',
    '1H',
    'h',
    '.h',
    '1h2',
    '1h-2m',
    '--1h',
    '1e3h',
    'NaNh',
    '2562048h',
    `1${'0'.repeat(99)}h`,
  ])('such as "%s" is refused, as Go refuses it', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  const whole = fc.integer({ min: 0, max: 9_000_000_000 });

  it('comes back from its text the same', () => {
    fc.assert(
      fc.property(whole, (seconds) => {
        expect(parseDuration(formatDuration(seconds))).toBe(seconds);
      }),
    );
  });

  it('is the sum of its terms', () => {
    const terms = fc.array(fc.tuple(fc.integer({ min: 0, max: 9_999 }), fc.constantFrom('h', 'm', 's')), {
      minLength: 1,
      maxLength: 8,
    });
    const unitSeconds = { h: 3_600, m: 60, s: 1 };
    fc.assert(
      fc.property(terms, (list) => {
        const text = list.map(([number, unit]) => `${number}${unit}`).join('');
        const seconds = list.reduce((sum, [number, unit]) => sum + number * unitSeconds[unit], 0);
        expect(parseDuration(text)).toBe(seconds);
        expect(parseDuration(`-${text}`)).toBe(-seconds);
      }),
    );
  });

  it('is finite or refused, whatever the text', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[-+]?[0-9.]{0,12}[hmsnuµ]{0,3}[0-9.]{0,12}[hms]?$/));
    fc.assert(
      fc.property(text, (value) => {
        expect(parseDuration(value) ?? 0).toSatisfy(Number.isFinite);
      }),
    );
  });

  it.each([
    ['90d', '2160h'],
    ['2 weeks', '336h'],
    ['1y', '8760h'],
    ['90x', undefined],
  ])('that Go does not know, %s, is translated', (text, hours) => {
    expect(daysAsHours(text)).toBe(hours);
  });
});
