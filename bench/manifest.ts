import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * How long `everleaf validate` takes over folders of growing size and over one stream on stdin, and that a heap of a fixed size
 * is enough for all of them:
 *
 *   node bench/manifest.ts
 */
const DOCUMENTS_PER_FILE = 5;
const SIZES = [1, 500, 1_000, 2_000];
/** Left to itself, V8 takes memory as long as there is some, and says nothing about what is needed. */
const HEAP_MIB = 128;
const COMMAND = join(import.meta.dirname, '..', 'bin', 'everleaf.ts');

const issuer = `apiVersion: awspca.cert-manager.io/v1beta1
kind: AWSPCAClusterIssuer
metadata: { name: internal }
spec:
  arn: arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/3f1c2a7e-58d4-4b0e-9a6f-2c7d81e5b904
`;

const certificate = (name: string): string => `apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: ${name}
  namespace: payments
  labels: { team: payments }
spec:
  secretName: ${name}-tls
  issuerRef: { group: awspca.cert-manager.io, kind: AWSPCAClusterIssuer, name: internal }
  commonName: ${name}.internal.example
  dnsNames:
    - ${name}.internal.example
    - ${name}.payments.svc
  privateKey: { algorithm: ECDSA, size: 256 }
  duration: 2160h
  renewBefore: 720h
`;

function documentsOf(file: number): string {
  const names = Array.from({ length: DOCUMENTS_PER_FILE }, (_, index) => `service-${file}-${index}`);
  return names.map(certificate).join('---\n');
}

interface Measurement {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly summary: string;
}

/** In a process of its own, so that the peak is its own: the command is told to say it when it ends. */
function measure(options: readonly string[], input?: string): Measurement {
  const report = `process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS))`;
  const preload = `data:text/javascript,${encodeURIComponent(report)}`;
  const limits = [`--max-old-space-size=${HEAP_MIB}`, '--max-semi-space-size=4'];
  const startedAt = performance.now();
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...limits, '--import', preload, COMMAND, 'validate', ...options],
    {
      encoding: 'utf8',
      input: input ?? '',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  return { seconds, peakMiB: Number(/peak (\d+)/.exec(stderr)?.[1]) / 1_024, summary: stdout.trim() };
}

function print(what: string, { seconds, peakMiB, summary }: Measurement): void {
  process.stdout.write(`${what.padEnd(34)} ${seconds.toFixed(1)} s   ${peakMiB.toFixed(0)} MiB   ${summary}\n`);
}

const base = mkdtempSync(join(tmpdir(), 'everleaf-bench-'));
try {
  for (const files of SIZES) {
    const folder = join(base, String(files));
    mkdirSync(folder);
    writeFileSync(join(folder, 'issuers.yaml'), issuer);
    for (let file = 0; file < files; file++) writeFileSync(join(folder, `team-${file}.yaml`), documentsOf(file));
    print(`${files * DOCUMENTS_PER_FILE} documents, ${files} files`, measure([folder]));
  }
  const stream = [issuer, ...Array.from({ length: 2_000 }, (_, file) => documentsOf(file))].join('---\n');
  print('10000 documents on stdin', measure(['-'], stream));
} finally {
  rmSync(base, { recursive: true, force: true });
}
