import { styleText } from 'node:util';
import { HOOKS, ISSUERS } from '../../functions/catalogue.ts';
import { EverleafError, PermanentError } from '../../functions/core/errors.ts';
import {
  counted,
  type Emphasis,
  isError,
  MAXIMUM_STREAM_BYTES,
  type ParsedManifest,
  parseManifest,
  renderFinding,
} from '../../functions/core/manifest/index.ts';
import { decodeManifest, loadManifest } from '../../lib/manifest-folder.ts';
import type { Terminal } from '../terminal.ts';
import { STDIN, toAnnotations } from './annotations.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_USAGE } from './exit-codes.ts';
import { readingProgress } from './reading-progress.ts';

export const FORMATS = ['text', 'json', 'github'] as const;
export type Format = (typeof FORMATS)[number];

/** `everleaf validate DIR`: says what a deploy would refuse, without an account and before anything runs. */
export async function validate(path: string, options: { readonly format: Format }, io: Terminal): Promise<number> {
  let parsed: ParsedManifest;
  try {
    parsed = path === '-' ? await readStdin(io) : loadManifest(path, ISSUERS, readingProgress(io.stderr));
  } catch (error) {
    if (!(error instanceof EverleafError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return EXIT_USAGE;
  }
  io.stdout.write(render(parsed, options.format, io.stdout));
  return parsed.findings.some(isError) ? EXIT_FINDINGS : EXIT_FINE;
}

/** `kustomize build . | everleaf validate -`. Stops reading where there is more than can be a manifest. */
async function readStdin(io: Terminal): Promise<ParsedManifest> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of io.stdin ?? []) {
    const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    chunks.push(part);
    bytes += part.length;
    if (bytes > MAXIMUM_STREAM_BYTES) throw streamTooLarge();
  }
  const read = decodeManifest(STDIN, Buffer.concat(chunks));
  if ('text' in read) return parseManifest([{ ...read, isStream: true }], ISSUERS, { hookKinds: HOOKS });
  return { ...parseManifest([], ISSUERS), findings: [read] };
}

const streamTooLarge = (): EverleafError =>
  new PermanentError(
    'StreamTooLarge',
    `stdin holds more than ${MAXIMUM_STREAM_BYTES.toLocaleString('en')} bytes, the most that is read from it; write it to files and name their folder`,
  );

function render(parsed: ParsedManifest, format: Format, stream: NodeJS.WritableStream): string {
  switch (format) {
    case 'json':
      return `${toJson(parsed)}\n`;
    case 'github':
      return `${toAnnotations(parsed.findings)}${summary(parsed)}\n`;
    case 'text':
      return toText(parsed, stream);
  }
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
    ...(declared.hooks === 0 ? [] : [counted(declared.hooks, 'hook')]),
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
