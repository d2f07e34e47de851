import type { Socket } from 'node:net';

/** No greeting and no answer before TLS is longer. MySQL's handshake and SMTP's list of extensions have some hundred bytes. */
const MOST_BYTES = 16 * 1024;

/** What two sides say to each other in clear, on a connection that is to become TLS. */
export class Conversation {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #look: () => void = () => undefined;
  #fault: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#take).on('error', this.#fail).on('close', this.#close);
  }

  write(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** The bytes that `lengthOf` counts off, once they have come. Undefined means: more is needed. */
  read(lengthOf: (received: Buffer) => number | undefined): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const length = lengthOf(this.#received);
        if (length !== undefined && length <= this.#received.length) {
          this.#look = () => undefined;
          const read = this.#received.subarray(0, length);
          this.#received = this.#received.subarray(length);
          resolve(read);
        } else if (this.#fault !== undefined) reject(this.#fault);
        else if (this.#received.length > MOST_BYTES)
          reject(new Error(`it says more than ${MOST_BYTES} bytes in clear`));
      };
      this.#look();
    });
  }

  /**
   * Hands the connection over to TLS. Nothing may have come beyond what was read: it would have been said in clear, by
   * whoever is in between, and be taken for part of what TLS protects.
   */
  end(): void {
    this.#socket.off('data', this.#take).off('error', this.#fail).off('close', this.#close).pause();
    if (this.#received.length > 0) throw new Error('it goes on in clear after it agreed to TLS');
  }

  readonly #take = (chunk: Buffer): void => {
    this.#received = Buffer.concat([this.#received, chunk]);
    // What is not read yet may be as long as an answer can be, and no longer.
    if (this.#received.length > 2 * MOST_BYTES) this.#socket.destroy();
    this.#look();
  };

  readonly #fail = (error: Error): void => {
    this.#fault ??= error;
    this.#look();
  };

  readonly #close = (): void => this.#fail(new Error('it closed the connection before TLS'));
}
