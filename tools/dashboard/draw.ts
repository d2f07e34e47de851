import { readShown, type Shown, type Widget } from './widgets.ts';

export interface Point {
  readonly at: number;
  readonly value: number;
}
export interface Seen {
  readonly from: number;
  readonly to: number;
  /** By period, oldest first. */
  readonly series: (shown: Shown) => readonly Point[];
  /** Names of the alarms, and whether each rings. */
  readonly alarms: readonly { readonly name: string; readonly rings: boolean }[];
  /** Heading and rows of the table with this title. */
  readonly table: (title: string) => readonly (readonly string[])[];
}

const UNIT = { width: 50, height: 40, gap: 4 };
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#ff7f0e', '#9467bd', '#8c564b'];
const INK = '#16191f';
const FAINT = '#687078';

/** The page as CloudWatch lays it out, drawn with what was seen. */
export function drawDashboard(widgets: readonly Widget[], seen: Seen): string {
  const width = UNIT.width * 24 + UNIT.gap;
  const height = UNIT.height * Math.max(...widgets.map((each) => each.y + each.height)) + UNIT.gap;
  const drawn = widgets.map((each) => {
    const [x, y] = [each.x * UNIT.width + UNIT.gap, each.y * UNIT.height + UNIT.gap];
    const [w, h] = [each.width * UNIT.width - UNIT.gap, each.height * UNIT.height - UNIT.gap];
    const title = 'title' in each.properties ? text(10, 20, each.properties.title, { size: 13, weight: 'bold' }) : '';
    return `<g transform="translate(${x} ${y})"><rect width="${w}" height="${h}" fill="#fff" stroke="#d5dbdb"/>${title}${content(each, w, h, seen)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif"><rect width="${width}" height="${height}" fill="#f2f3f3"/>\n${drawn.join('\n')}\n</svg>\n`;
}

function content(widget: Widget, width: number, height: number, seen: Seen): string {
  switch (widget.type) {
    case 'text':
      return widget.properties.markdown
        .split('\n')
        .map((line, index) => text(10, 24 + index * 24, line.replace(/^# /, ''), { size: index === 0 ? 18 : 12 }))
        .join('');
    case 'alarm':
      return alarms(seen, width);
    case 'log':
      return table(seen.table(widget.properties.title), width);
    case 'metric': {
      const shown = widget.properties.metrics.map(readShown);
      return widget.properties.view === 'singleValue' ? numbers(shown, width, seen) : lines(shown, width, height, seen);
    }
  }
}

function alarms({ alarms: all }: Seen, width: number): string {
  const columns = 4;
  const cell = (width - 20) / columns;
  return all
    .map(({ name, rings }, index) => {
      const [x, y] = [10 + (index % columns) * cell, 30 + Math.floor(index / columns) * 24];
      return `<rect x="${x}" y="${y}" width="${cell - 4}" height="20" rx="2" fill="${rings ? '#d13212' : '#1d8102'}"/>${text(x + 5, y + 14, name, { size: 9, fill: '#fff' })}`;
    })
    .join('');
}

function numbers(shown: readonly Shown[], width: number, seen: Seen): string {
  const cell = width / shown.length;
  return shown
    .map((each, index) => {
      const last = seen.series(each).at(-1)?.value;
      const x = 10 + index * cell;
      return (
        text(x, 80, last === undefined ? '–' : short(last), { size: 30 }) +
        text(x, 104, each.label, { size: 11, fill: FAINT })
      );
    })
    .join('');
}

function table([heading = [], ...rows]: readonly (readonly string[])[], width: number): string {
  const widths = heading.map((_, column) =>
    Math.max(8, ...[heading, ...rows].map((row) => Math.min(46, (row[column] ?? '').length))),
  );
  const whole = widths.reduce((sum, each) => sum + each, 0);
  const left = widths.map(
    (_, column) => 10 + ((width - 20) * widths.slice(0, column).reduce((sum, each) => sum + each, 0)) / whole,
  );
  const fits = (column: number): number => Math.floor(((width - 20) * (widths[column] ?? 0)) / whole / 5.2);
  return [heading, ...rows.slice(0, 12)]
    .map((row, index) =>
      row
        .map((cell, column) =>
          text(left[column] ?? 0, 44 + index * 20, clip(cell, fits(column)), {
            size: 10,
            weight: index === 0 ? 'bold' : 'normal',
          }),
        )
        .join(''),
    )
    .join('');
}

const clip = (cell: string, characters: number): string =>
  cell.length <= characters ? cell : `${cell.slice(0, characters - 1)}…`;

function lines(shown: readonly Shown[], width: number, height: number, { from, to, series }: Seen): string {
  const all = shown.map((each) => ({ each, points: series(each) }));
  const most = Math.max(1e-9, ...all.flatMap(({ points }) => points.map(({ value }) => value)));
  const frame = { left: 44, top: 32, width: width - 60, height: height - 84 };
  const x = (at: number): number => frame.left + (frame.width * (at - from)) / (to - from);
  const y = (value: number): number => frame.top + frame.height * (1 - value / most);
  const grid = [0, 0.5, 1]
    .map(
      (share) =>
        `<path d="M${frame.left} ${round(y(most * share))}h${frame.width}" stroke="#eaeded"/>${text(6, y(most * share) + 4, short(most * share), { size: 9, fill: FAINT })}`,
    )
    .join('');
  const hours = Array.from({ length: 5 }, (_, index) => from + ((to - from) * index) / 4)
    .map((at) =>
      text(x(at) - 14, frame.top + frame.height + 16, new Date(at).toISOString().slice(11, 16), {
        size: 9,
        fill: FAINT,
      }),
    )
    .join('');
  const drawn = all.map(({ each, points }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? INK;
    const path = points
      .map(({ at, value }, nth) => `${nth === 0 ? 'M' : 'L'}${round(x(at))} ${round(y(value))}`)
      .join('');
    const dots =
      points.length > 40
        ? ''
        : points
            .map(({ at, value }) => `<circle cx="${round(x(at))}" cy="${round(y(value))}" r="2" fill="${colour}"/>`)
            .join('');
    const [lx, ly] = [10 + (index % 3) * (width / 3 - 8), height - 24 + Math.floor(index / 3) * 14];
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${dots}<rect x="${lx}" y="${ly - 8}" width="8" height="8" fill="${colour}"/>${text(lx + 12, ly, each.label, { size: 10 })}`;
  });
  return grid + hours + drawn.join('');
}

const round = (value: number): number => Math.round(value * 10) / 10;
const short = (value: number): string => String(value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);

const text = (
  x: number,
  y: number,
  words: string,
  { size, weight = 'normal', fill = INK }: { readonly size: number; readonly weight?: string; readonly fill?: string },
): string =>
  `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" fill="${fill}">${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
