import { UsageError } from '../commands/exit-codes.ts';
import { isTerminal, type Terminal } from '../terminal.ts';

/**
 * Asks whoever sits at a terminal to type `expected`. `yes`: somebody has said so on the command line. Throws UsageError where
 * there is nobody to ask.
 */
export async function confirm(expected: string, yes: boolean, { stdin, stderr }: Terminal): Promise<boolean> {
  if (yes) return true;
  if (stdin === undefined || !isTerminal(stdin)) {
    throw new UsageError(
      'there is no terminal to ask at: --yes says that it is meant, --dry-run shows what it would do',
    );
  }
  stderr.write(`Type ${expected} to go on: `);
  const isMeant = (await readLine(stdin)).trim() === expected;
  if (!isMeant) stderr.write('Nothing was done.\n');
  return isMeant;
}

const LONGEST_LINE = 1_000;

async function readLine(stdin: AsyncIterable<string | Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    if (text.includes('\n') || text.length > LONGEST_LINE) break;
  }
  return text.split('\n')[0] ?? '';
}
