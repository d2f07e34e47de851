import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { costs, costTables, withCosts } from './cost/page.ts';

/**
 * `npm run cost`: what a deployment costs a month, computed from what tools/cost/counted.ts counted on the twin and the list
 * prices in tools/cost/prices.ts. `-- --json` for a script; `-- --write` makes the tables of docs/cost.md anew.
 */

const COST_PAGE = join(import.meta.dirname, '..', 'docs', 'cost.md');

const { values } = parseArgs({ options: { json: { type: 'boolean' }, write: { type: 'boolean' } } });
if (values.json) process.stdout.write(`${JSON.stringify(costs(), null, 2)}\n`);
else for (const [name, text] of Object.entries(costTables())) process.stdout.write(`${name}\n\n${text}\n\n`);
if (values.write) writeFileSync(COST_PAGE, withCosts(readFileSync(COST_PAGE, 'utf8')));
