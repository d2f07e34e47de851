import { styleText } from 'node:util';
import { ISSUERS } from '../../functions/catalogue.ts';
import { EverleafError } from '../../functions/core/errors.ts';
import {
  counted,
  type Emphasis,
  isError,
  type ParsedManifest,
  parseManifest,
  renderFinding,
} from '../../functions/core/manifest/index.ts';
import { decodeManifest, loadManifest } from '../../lib/manifest-folder.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_USAGE } from './exit-codes.ts';

/** What a command prints to and reads from: `process` has all three. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly stdin?: AsyncIterable<string | Uint8Array>;
}

/** `everleaf validate DIR`: says what a deploy would refuse, without an account and before anything runs. */
export async function validate(path: string, options: { readonly json: boolean }, io: Terminal): Promise<number> {
  let parsed: ParsedManifest;
  try {
    parsed = path === '-' ? await readStdin(io) : loadManifest(path, ISSUERS);
  } catch (error) {
    if (!(error instanceof EverleafError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return EXIT_USAGE;
  }
  io.stdout.write(options.json ? `${toJson(parsed)}\n` : toText(parsed, io.stdout));
  return parsed.findings.some(isError) ? EXIT_FINDINGS : EXIT_FINE;
}

/** `kustomize build . | everleaf validate -` */
async function readStdin(io: Terminal): Promise<ParsedManifest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of io.stdin ?? []) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  const read = decodeManifest('stdin', Buffer.concat(chunks));
  if ('text' in read) return parseManifest([read], ISSUERS);
  return { ...parseManifest([], ISSUERS), findings: [read] };
}

function toJson({ declared, findings, skipped }: ParsedManifest): string {
  return JSON.stringify({ ...declared, findings, skipped }, null, 2);
}

const STYLES = {
  place: 'bold',
  error: ['bold', 'red'],
  warning: ['bold', 'yellow'],
  code: 'dim',
  quiet: 'dim',
  caret: ['bold', 'red'],
} as const satisfies Record<Emphasis, Parameters<typeof styleText>[0]>;

function toText(parsed: ParsedManifest, stream: NodeJS.WritableStream): string {
  // Colours only for a terminal that wants them: styleText looks at the stream and at NO_COLOR.
  const paint = (emphasis: Emphasis, text: string) => styleText(STYLES[emphasis], text, { stream });
  const findings = parsed.findings.map((finding) => `${renderFinding(finding, paint)}\n\n`).join('');
  return `${findings}${summary(parsed)}\n`;
}

function summary({ declared, findings, skipped }: ParsedManifest): string {
  const errors = findings.filter(isError).length;
  const found = [
    counted(declared.certificates, 'certificate'),
    counted(declared.issuers, 'issuer'),
    counted(errors, 'error'),
    counted(findings.length - errors, 'warning'),
  ].join(', ');
  const others = Object.entries(skipped).map(([kind, number]) => `${number} ${kind}`);
  const lines = [found];
  if (others.length > 0) lines.push(`skipped: ${others.join(', ')}`);
  if (declared.certificates === 0)
    lines.push('Certificates are documents of kind Certificate, apiVersion cert-manager.io/v1.');
  return lines.join('\n');
}
