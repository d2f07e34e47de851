import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AwsError } from '../local/wire/service.ts';
import { watch } from '../test/alarms/watch.ts';
import { type DataPoint, isOf, statistic } from '../test/support/alarms/board.ts';
import { certificateYaml, FOREIGN_CA, GENERAL_CA, manifestOf } from '../test/support/deployment.ts';
import { drawDashboard, type Point } from './dashboard/draw.ts';
import { readWidgets, type Shown } from './dashboard/widgets.ts';

/**
 * `node tools/dashboard-picture.ts`: a day of a small fleet on the twin, most of it short-lived, one of whose CAs refuses from the
 * twelfth hour on; and the template's dashboard, drawn with what its functions measured and logged: docs/dashboard.svg.
 */

const FILE = join(import.meta.dirname, '..', 'docs', 'dashboard.svg');
const STEP_MINUTES = 5;

const PARTNER = manifestOf(certificateYaml('login', '  duration: 14h\n'))
  .replace(GENERAL_CA, FOREIGN_CA)
  .replaceAll('internal }', 'partner }');
const SHORT = ['api', 'cart', 'mail', 'orders', 'search'].map((name, index) =>
  certificateYaml(name, `  duration: ${12 + 2 * index}h\n`),
);
const LONG = ['admin', 'billing', 'wiki'].map((name) => certificateYaml(name));

const { deployment, board, minutes, points, template, close } = await watch({
  manifest: [manifestOf(...SHORT, ...LONG), PARTNER].join('---\n'),
});
const { twin, pca } = deployment;
function aggregate(shown: Shown, all: readonly DataPoint[], from: number): readonly Point[] {
  const bins = new Map<number, number[]>();
  for (const point of all) {
    if (!isOf(shown, point) || point.at < from) continue;
    const bin = Math.floor(point.at / shown.periodMs) * shown.periodMs;
    bins.set(bin, [...(bins.get(bin) ?? []), point.value]);
  }
  return [...bins].sort(([a], [b]) => a - b).map(([at, values]) => ({ at, value: statistic(shown.statistic, values) }));
}

type Line = Readonly<Record<string, unknown>>;

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

const logged = (...messages: readonly string[]): readonly Line[] =>
  twin.logs.flatMap(({ line }) =>
    messages.some((message) => line.includes(`"message":"${message}"`)) ? [JSON.parse(line) as Line] : [],
  );

/** What the last survey named, in its order: all that was logged since the one before it had ended. */
function nearest(): readonly (readonly string[])[] {
  const lines = logged('near expiry', 'looked at the fleet');
  const surveys = lines.flatMap((line, index) => (line['message'] === 'looked at the fleet' ? [index] : []));
  const [before = -1, last = lines.length] = surveys.slice(-2);
  const rows = lines
    .slice(before + 1, last)
    .map((line) =>
      ['certificate', 'state', 'notAfter', 'renewalTimeLeft', 'failure'].map((field) => textOf(line[field])),
    );
  return [['certificate', 'State', 'NotAfter', 'TimeLeft', 'Failure'], ...rows];
}

function failures(): readonly (readonly string[])[] {
  const rows = logged('renewal failed').map((line) => {
    const { code, message } = line['failure'] as { readonly code: string; readonly message: string };
    return [textOf(line['timestamp']), textOf(line['certificate']), code, message];
  });
  return [['@timestamp', 'certificate', 'Code', 'Why'], ...rows.toReversed()];
}

try {
  pca.issuanceDelay = 1;
  const from = twin.clock.now();
  await minutes(12 * 60);
  twin.use(async (call, next) => {
    if (call.operation !== 'IssueCertificate' || call.input['CertificateAuthorityArn'] !== FOREIGN_CA) return next();
    throw new AwsError('AccessDeniedException', 'not authorized to perform: acm-pca:IssueCertificate');
  });
  const ringing = await minutes(12 * 60 - STEP_MINUTES);
  const measured = points();
  const physical = (logicalId: string): string => twin.physicalId(logicalId).split('/').at(-1) ?? '';
  const drawing = drawDashboard(readWidgets(template, physical), {
    from,
    to: twin.clock.now(),
    alarms: board.names.map((name) => ({ name, rings: ringing.includes(name) })),
    series: (shown) => aggregate(shown, measured, from),
    table: (title) => (title === 'Nearest to expiry' ? nearest() : failures()),
  });
  writeFileSync(FILE, drawing);
} finally {
  await close();
}
