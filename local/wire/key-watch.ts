import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Finding {
  /** The service whose request or answer held it; `log`, `result`, `error` or `file` for what a function said otherwise. */
  readonly channel: string;
  /** The function and operation, or the file; never the key. */
  readonly where: string;
}

const PEM = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[A-Za-z0-9+/=\s\\rn]+-----END [A-Z0-9 ]*PRIVATE KEY-----/g;
const LABEL = 'PRIVATE KEY-----';
/** Enough letters of a secret number to be sure of it: 192 bits in base64, 128 in hex. */
const WINDOW = 32;
const ENCODED = new RegExp(`[A-Za-z0-9+/]{${WINDOW},}`, 'g');
const PRINTABLE = /^[\x20-\x7e\s]+$/;
/** Enough bytes of one, for the same reason. */
const WINDOW_BYTES = 24;

/**
 * Searches whatever passes for private keys: the PEM label, plain or in base64, and the secret numbers of each key it has
 * met, as they are, in hex, or in base64 at any of the three alignments. Those numbers are what PKCS#8, PKCS#1, SEC 1, a raw
 * scalar and a JWK share.
 */
export class KeyWatch {
  readonly findings: Finding[] = [];
  readonly #labels = [LABEL, ...base64Forms(Buffer.from(LABEL))];
  /** The first letters of each form of each secret; all as long, so that a search costs the same for one key and for many. */
  readonly #secrets = new Set<string>();
  /** Which of their first three letters there are: most places of a text are passed by with a look at these. */
  readonly #beginnings = new Uint8Array(2 ** 21);
  readonly #bytes = new Map<string, Buffer>();

  /** How many secret numbers it knows. */
  get known(): number {
    return this.#bytes.size;
  }

  /** What a body or a printed line holds. Secrets Manager's secret fields are where keys belong: they are learnt from. */
  search(channel: string, where: string, text: string): void {
    const searched = channel === 'secretsmanager' ? this.#withoutSecrets(text) : text;
    if (this.#leaks(searched)) this.findings.push({ channel, where });
  }

  #leaks(text: string): boolean {
    return this.#labels.some((label) => text.includes(label)) || this.#holdsSecret(text);
  }

  /** Every file in a folder, and in those beneath: as text, and for the bare bytes of a secret. */
  searchFolder(folder: string): void {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const content = readFileSync(path);
      const isBare = [...this.#bytes.values()].some((secret) => content.includes(secret));
      if (isBare) this.findings.push({ channel: 'file', where: path });
      else this.search('file', path, content.toString('latin1'));
    }
  }

  /** Learns every private key in a text, so that it is known again without its label. */
  learn(text: string): void {
    for (const [pem] of text.matchAll(PEM)) {
      const key = privateKeyOf(pem.replaceAll(String.raw`\n`, '\n'));
      if (key !== undefined) this.learnKey(key);
    }
  }

  learnKey(key: KeyObject): void {
    // The exponent of RSA follows from either prime, and the primes from what speeds it up.
    const { d, p, q, dp, dq, qi } = key.export({ format: 'jwk' });
    for (const secret of [d, p, q, dp, dq, qi]) {
      if (secret !== undefined) this.#learnNumber(Buffer.from(secret, 'base64url'));
    }
  }

  #learnNumber(secret: Buffer): void {
    const hex = secret.toString('hex');
    for (const form of [hex, hex.toUpperCase(), ...base64Forms(secret)]) {
      this.#secrets.add(form.slice(0, WINDOW));
      this.#beginnings[beginning(form, 0)] = 1;
    }
    this.#bytes.set(hex, secret.subarray(0, WINDOW_BYTES));
  }

  #holdsSecret(text: string): boolean {
    if (this.#secrets.size === 0) return false;
    // Line ends and their escapes split a key's base64; base64url has two letters of its own.
    const joined = text
      .replaceAll(/\\+[rn]|\s+/g, '')
      .replaceAll('-', '+')
      .replaceAll('_', '/');
    for (const [run] of joined.matchAll(ENCODED)) {
      for (let start = 0; start + WINDOW <= run.length; start += 1) {
        if (this.#beginnings[beginning(run, start)] === 1 && this.#secrets.has(run.slice(start, start + WINDOW))) {
          return true;
        }
      }
      // Text in base64, such as a blob of AWS's, may hold base64 of its own.
      const inner = Buffer.from(run, 'base64').toString('latin1');
      if (PRINTABLE.test(inner) && this.#leaks(inner)) return true;
    }
    return false;
  }

  #withoutSecrets(text: string): string {
    if (text === '') return text;
    const rest: unknown = JSON.parse(text, (name, value: unknown) => {
      if (name !== 'SecretString' && name !== 'SecretBinary') return value;
      const secret = String(value);
      this.learn(name === 'SecretBinary' ? Buffer.from(secret, 'base64').toString() : secret);
      return undefined;
    });
    return JSON.stringify(rest);
  }
}

/** A number for the three letters at `at`, of seven bits each. */
const beginning = (text: string, at: number): number =>
  (text.charCodeAt(at) << 14) | (text.charCodeAt(at + 1) << 7) | text.charCodeAt(at + 2);

/** Undefined for what only looks like a key, or is encrypted: its label is searched for all the same. */
function privateKeyOf(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** How `bytes` look inside a longer base64 text, whatever stands before and after them. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(shift === 0 ? 0 : 4, -4);
  });
}
