import { createPrivateKey } from 'node:crypto';

export interface Finding {
  /** The service whose request or answer held it; `log`, `result` or `error` for what a function said otherwise. */
  readonly channel: string;
  /** The function and operation; never the key. */
  readonly where: string;
}

const PEM = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[A-Za-z0-9+/=\s\\rn]+-----END [A-Z0-9 ]*PRIVATE KEY-----/g;
const LABEL = 'PRIVATE KEY-----';
/** Enough letters of a secret number to be sure of it: 192 bits in base64, 128 in hex. */
const WINDOW = 32;
const ENCODED = new RegExp(`[A-Za-z0-9+/]{${WINDOW},}`, 'g');

/**
 * Searches whatever passes for private keys: the PEM label, plain or in base64, and the secret number of each key it has
 * met, in hex or in base64 at any of the three alignments. That one number is what PKCS#8, PKCS#1, SEC 1 and JWK share.
 */
export class KeyWatch {
  readonly findings: Finding[] = [];
  readonly #labels = [LABEL, ...base64Forms(Buffer.from(LABEL))];
  /** The first letters of each form of each secret; all as long, so that a search costs the same for one key and for many. */
  readonly #secrets = new Set<string>();

  /** What a body or a printed line holds. Secrets Manager's secret fields are where keys belong: they are learnt from. */
  search(channel: string, where: string, text: string): void {
    const searched = channel === 'secretsmanager' ? this.#withoutSecrets(text) : text;
    const leaks = this.#labels.some((label) => searched.includes(label)) || this.#holdsSecret(searched);
    if (leaks) this.findings.push({ channel, where });
  }

  /** Learns every private key in a text, so that it is known again without its label. */
  learn(text: string): void {
    for (const [pem] of text.matchAll(PEM)) {
      const secret = secretNumberOf(pem.replaceAll(String.raw`\n`, '\n'));
      if (secret === undefined) continue;
      for (const form of [secret.toString('hex'), ...base64Forms(secret)]) this.#secrets.add(form.slice(0, WINDOW));
    }
  }

  #holdsSecret(text: string): boolean {
    if (this.#secrets.size === 0) return false;
    // Line ends and their escapes split a key's base64; JWK has two letters of its own.
    const joined = text
      .replaceAll(/\\+[rn]|\s+/g, '')
      .replaceAll('-', '+')
      .replaceAll('_', '/');
    for (const [run] of joined.matchAll(ENCODED)) {
      for (let start = 0; start + WINDOW <= run.length; start += 1) {
        if (this.#secrets.has(run.slice(start, start + WINDOW))) return true;
      }
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

/** Undefined for what only looks like a key, or is encrypted: its label is searched for all the same. */
function secretNumberOf(pem: string): Buffer | undefined {
  try {
    const { d } = createPrivateKey(pem).export({ format: 'jwk' });
    return d === undefined ? undefined : Buffer.from(d, 'base64url');
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
