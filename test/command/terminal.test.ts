import { expect, it } from 'vitest';
import { allRecords } from '../../bin/operator/account.ts';
import { passingLine } from '../../bin/terminal.ts';
import { declare } from '../../functions/core/transitions.ts';
import { aSpec, id, NOON } from '../support/builders.ts';
import { memoryInventory } from '../support/memory-inventory.ts';
import { Sink } from '../support/sink.ts';

it('a passing line is written over on a terminal, and gone in the end; a pipe gets nothing', () => {
  const [terminal, pipe] = [Object.assign(new Sink(), { isTTY: true }), new Sink()];
  for (const stream of [terminal, pipe]) {
    const line = passingLine(stream);
    line.show('1 of 2');
    line.show('2 of 2');
    line.clear();
  }
  expect(terminal.text).toBe('\r\u001b[2K1 of 2\r\u001b[2K2 of 2\r\u001b[2K');
  expect(pipe.text).toBe('');
});

it('reading a large inventory is seen to get on, and ends in the order of names', async () => {
  const inventory = memoryInventory();
  const ids = Array.from({ length: 600 }, (_, index) => id(`many/c${String(599 - index).padStart(3, '0')}`));
  for (const each of ids) await inventory.write(declare(aSpec({ id: each }), { actor: 'test', at: NOON }), undefined);
  const terminal = Object.assign(new Sink(), { isTTY: true });
  const records = await allRecords(inventory, terminal);
  expect(records.map((record) => record.id)).toEqual(ids.toReversed());
  expect(terminal.text.split('\r\u001b[2K')).toEqual(['', '250 certificates read', '500 certificates read', '']);
});
