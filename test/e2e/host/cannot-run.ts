/** The run cannot begin on this machine. The message says what is missing and what to do; a stack trace would bury it. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}
