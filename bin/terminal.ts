/** What a command prints to and reads from: `process` has all three. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly stdin?: AsyncIterable<string | Uint8Array>;
}

const CLEAR_LINE = '\r\u001b[2K';

/** True for what a person sits at, not for a pipe or a file. */
export const isTerminal = (stream: object | undefined): boolean =>
  stream !== undefined && 'isTTY' in stream && stream.isTTY === true;

/** One line on a terminal that is written over, and gone in the end. Anything but a terminal gets nothing. */
export function passingLine(stream: NodeJS.WritableStream): { show(text: string): void; clear(): void } {
  if (!isTerminal(stream)) return { show: () => {}, clear: () => {} };
  return {
    show: (text) => void stream.write(`${CLEAR_LINE}${text}`),
    clear: () => void stream.write(CLEAR_LINE),
  };
}
