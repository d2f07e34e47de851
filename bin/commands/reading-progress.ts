import { passingLine } from '../terminal.ts';

/** Fewer files than this are read before anybody wonders. */
const WORTH_SHOWING = 200;
const EVERY = 50;

/** One line on a terminal that counts the files read, and is gone when all are. */
export function readingProgress(stream: NodeJS.WritableStream): (read: number, files: number) => void {
  const line = passingLine(stream);
  return (read, files) => {
    if (files < WORTH_SHOWING) return;
    if (read === files) line.clear();
    else if (read % EVERY === 0) line.show(`${read.toLocaleString('en')} of ${files.toLocaleString('en')} files read`);
  };
}
