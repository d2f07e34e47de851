import { Duration } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../local/clock.ts';
import { functionOf, startTwin } from './stage.ts';

const DAY_MS = Duration.days(1).toMilliseconds();

const TELL = `
  export const handler = async () => ({
    now: Date.now(), made: new Date().getTime(), text: Date.parse(Date()), fixed: new Date(0).toISOString(),
    isDate: new Date() instanceof Date, own: new Date().constructor === Date,
  });`;

test('a worker lives in virtual time, and sees a jump at once', async () => {
  const twin = await startTwin((stack) => void functionOf(stack, 'Tell', TELL), { startAt: Date.now() - 3 * DAY_MS });
  for (const jump of [0, DAY_MS, DAY_MS]) {
    await twin.advance(jump);
    const before = twin.clock.now();
    const told = (await twin.invoke('Tell', {})) as Record<string, number>;
    const after = twin.clock.now();
    for (const instant of [told['now'], told['made']]) {
      expect(instant).toBeGreaterThanOrEqual(before);
      expect(instant).toBeLessThanOrEqual(after);
    }
    expect(told['text']).toBeGreaterThanOrEqual(before - 1_000);
    expect(told).toMatchObject({ fixed: '1970-01-01T00:00:00.000Z', isDate: true, own: true });
  }
});

test('the clock never passes wall time', () => {
  const clock = new VirtualClock(Date.now() - 1_000);
  expect(() => clock.advance(2_000)).toThrow('would pass wall time');
  expect(() => new VirtualClock(Date.now() + 60_000)).toThrow('after wall time');
  clock.stop();
});

test('alarms ring in the order of their instants when the clock jumps over them', () => {
  const start = Date.now() - DAY_MS;
  const clock = new VirtualClock(start);
  const rung: string[] = [];
  clock.at(start + 7_200_000, () => rung.push('second'));
  clock.at(start + 3_600_000, () => rung.push('first'));
  clock.at(start + 5_000_000, () => rung.push('cancelled'))();
  clock.at(start + 80_000_000, () => rung.push('too late'));
  clock.advance(10_000_000);
  expect(rung).toEqual(['first', 'second']);
  clock.stop();
});
