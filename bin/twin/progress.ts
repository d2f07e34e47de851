import { styleText } from 'node:util';
import * as z from 'zod/mini';
import type { LogEntry } from '../../local/twin.ts';

/** A transition as the issue function logs it. */
const transitionLine = z.object({
  message: z.literal('transition'),
  certificate: z.string(),
  event: z.string(),
  cause: z.string(),
});

/** The journey in a person's words. */
const STEPS: Readonly<Record<string, string>> = {
  OrderIntended: 'key staged',
  OrderPlaced: 'ordered',
  VersionStored: 'verified',
  VersionPromoted: 'current',
};

/** Beyond this many certificates a line each tells nobody anything. */
const LINES_LIMIT = 40;
const REPORT_EVERY = 100;

interface Journey {
  readonly startedAt: number;
  readonly steps: string[];
}

/** Follows certificates through the functions' own logs and prints a line for each that arrives. */
export class Progress {
  readonly #stream: NodeJS.WritableStream;
  readonly #issuers: ReadonlyMap<string, string>;
  readonly #journeys = new Map<string, Journey>();
  readonly #issuerWidth: number;
  #arrived = 0;

  constructor(stream: NodeJS.WritableStream, issuers: ReadonlyMap<string, string>) {
    this.#stream = stream;
    this.#issuers = issuers;
    this.#issuerWidth = Math.max(0, ...[...issuers.values()].map(({ length }) => length));
  }

  say(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  follow({ line }: LogEntry): void {
    const parsed = z.safeParse(transitionLine, parseJson(line));
    if (!parsed.success) return;
    const { certificate, event, cause } = parsed.data;
    if (event === 'AttemptStarted') this.#journeys.set(certificate, { startedAt: performance.now(), steps: [cause] });
    const journey = this.#journeys.get(certificate);
    const step = STEPS[event];
    if (journey !== undefined && step !== undefined) journey.steps.push(step);
    if (event === 'VersionPromoted') this.#arrive(certificate, journey);
    if (event === 'AttemptFailed') this.say(`  ${this.#paint('red', '✘')} ${certificate}: ${cause}`);
  }

  #arrive(certificate: string, journey: Journey | undefined): void {
    this.#arrived += 1;
    if (this.#issuers.size > LINES_LIMIT) {
      if (this.#arrived % REPORT_EVERY === 0) this.say(`  ${this.#arrived} certificates`);
      return;
    }
    const elapsed = journey === undefined ? '' : `${((performance.now() - journey.startedAt) / 1_000).toFixed(1)} s`;
    const steps = this.#paint('dim', (journey?.steps ?? []).join(' → '));
    const issuer = this.#issuers.get(certificate) ?? '';
    this.say(
      `  ${this.#paint('green', '✔')} ${certificate.padEnd(24)} ${issuer.padEnd(this.#issuerWidth)} ${elapsed.padStart(6)}  ${steps}`,
    );
  }

  #paint(style: 'green' | 'red' | 'dim', text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Not every line a function prints is one of its logger's.
    return undefined;
  }
}
