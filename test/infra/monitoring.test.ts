import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../functions/core/metrics.ts';
import { readWidgets, readShown } from '../../tools/dashboard/widgets.ts';
import { synthesizeTemplate, WITHOUT_HOOKS } from '../support/synthesis.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const read = (file: string): string => readFileSync(join(DOCS, file), 'utf8');
// As the picture is of a fleet that is deployed nowhere.
const template = synthesizeTemplate(WITHOUT_HOOKS).toJSON() as Parameters<typeof readWidgets>[0];
const widgets = readWidgets(template, (id) => id);

describe('what is said of monitoring', () => {
  it('names every metric, with its unit and what it tells', () => {
    const rows = [...read('monitoring.md').matchAll(/^\| `(\w+)` +\| (\w+) +\| (.+?) +\|$/gm)].map(
      ([, name, unit, tells]) => [name, { unit, tells }],
    );
    expect(Object.fromEntries(rows)).toEqual(METRICS);
  });

  it('shows every widget of the dashboard in the picture, and every number and line of it', () => {
    const titles = widgets.flatMap(({ properties }) => ('title' in properties ? properties.title : []));
    expect(titles.length).toBeGreaterThan(8);
    const labels = widgets.flatMap((widget) =>
      widget.type === 'metric' ? widget.properties.metrics.map((metric) => readShown(metric).label) : [],
    );
    for (const words of [...titles, ...labels]) expect(read('dashboard.svg')).toContain(`>${words}</text>`);
  });

  it('draws no metric that nothing measures', () => {
    const ours = widgets
      .flatMap((widget) => (widget.type === 'metric' ? widget.properties.metrics.map(readShown) : []))
      .filter(({ namespace }) => namespace === 'Everleaf')
      .map(({ metric }) => metric);
    expect(ours.filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
  });
});
