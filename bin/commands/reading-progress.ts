/** Fewer files than this are read before anybody wonders. */
const WORTH_SHOWING = 200;
const EVERY = 50;
const CLEAR_LINE = '\r\u001b[2K';

/** One line on a terminal that counts the files read, and is gone when all are. Anything but a terminal gets nothing. */
export function readingProgress(stream: NodeJS.WritableStream): (read: number, files: number) => void {
  if (!('isTTY' in stream) || stream.isTTY !== true) return () => {};
  return (read, files) => {
    if (files < WORTH_SHOWING) return;
    if (read === files) stream.write(CLEAR_LINE);
    else if (read % EVERY === 0) {
      stream.write(`${CLEAR_LINE}${read.toLocaleString('en')} of ${files.toLocaleString('en')} files read`);
    }
  };
}
