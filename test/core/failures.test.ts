import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { awsFailure } from '../../functions/aws/failures.ts';
import { parseRetryAfter } from '../../functions/core/http-faults.ts';
import {
  ConflictError,
  describeFailure,
  EverleafError,
  PermanentError,
  redactPrivateKeys,
  sparingCa,
  TransientError,
} from '../../functions/core/errors.ts';
import { NOON } from '../support/builders.ts';

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const PKCS8 = EC.export({ type: 'pkcs8', format: 'pem' }).toString();
const ENCRYPTED = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
const REMOVED = '[private key removed]';

describe('a message', () => {
  it.each<[string, string, string]>([
    ['PKCS#8', `before ${PKCS8} after`, `before ${REMOVED}\n after`],
    ['EC', EC.export({ type: 'sec1', format: 'pem' }).toString(), `${REMOVED}\n`],
    ['RSA', RSA.export({ type: 'pkcs1', format: 'pem' }).toString(), `${REMOVED}\n`],
    ['encrypted', RSA.export(ENCRYPTED).toString(), `${REMOVED}\n`],
    ['OpenSSH', PKCS8.replaceAll('PRIVATE', 'OPENSSH PRIVATE'), `${REMOVED}\n`],
    ['JSON-escaped', JSON.stringify({ 'tls.key': PKCS8 }), `{"tls.key":"${REMOVED}\\n"}`],
    ['folded into one line', PKCS8.replaceAll('\n', ' '), `${REMOVED} `],
    ['cut off', `before ${PKCS8.slice(0, 100)}`, `before ${REMOVED}`],
    ['cut off in its last line', PKCS8.slice(0, -5), REMOVED],
    ['twice there', `${PKCS8} and ${PKCS8}`, `${REMOVED}\n and ${REMOVED}\n`],
    ['behind a certificate', `-----BEGIN CERTIFICATE-----\n${PKCS8}`, `-----BEGIN CERTIFICATE-----\n${REMOVED}\n`],
  ])('loses a private key that is %s', (_how, text, left) => {
    expect(redactPrivateKeys(text)).toBe(left);
  });

  const bare = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  const keys: readonly [string, KeyObject][] = [
    ['P-256', EC],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
    ['Ed25519', generateKeyPairSync('ed25519').privateKey],
    ['RSA-2048', RSA],
    ['RSA-3072', generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey],
    ['RSA-4096', generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey],
  ];
  it.each(keys)('loses a bare key, %s, in base64, however it is folded, and nothing around it', (_kind, key) => {
    const text = bare(key);
    expect(redactPrivateKeys(`it said ${text}, twice: "${text}".`)).toBe(`it said ${REMOVED}, twice: "${REMOVED}".`);
    const url = key.export({ type: 'pkcs8', format: 'der' }).toString('base64url');
    expect(redactPrivateKeys(`<${url}>`)).toBe(`<${REMOVED}>`);
    for (const fold of ['\n', '\r\n', String.raw`\n`, String.raw`\r\n`]) {
      const folded = text.replaceAll(/.{64}(?=.)/g, `$&${fold}`);
      expect(redactPrivateKeys(`a ${folded} b`), JSON.stringify(fold)).toBe(`a ${REMOVED} b`);
    }
  });

  it.each([0, 1, 2, 3])('loses PEM that somebody has put into base64, %i bytes into a text', (before) => {
    const encoded = Buffer.from(`${'x'.repeat(before)}${PKCS8}`).toString('base64');
    const left = redactPrivateKeys(`{"tls.key":"${encoded}"}`);
    expect(left).toMatch(/^\{"tls\.key":"[\w+/]{0,24}\[private key removed\]"\}$/);
    // What is before the label is dashes.
    expect(Buffer.from(left.slice(12), 'base64').toString('latin1')).not.toContain('MIG');
  });

  it('keeps what is not private', () => {
    const text = 'a PRIVATE KEY is missing\n-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n';
    expect(redactPrivateKeys(text)).toBe(text);
  });

  it('keeps the name of a line that a key lacks', () => {
    const text = 'no line "-----END PRIVATE KEY-----" in what was read';
    expect(redactPrivateKeys(text)).toBe(text);
  });

  it.each<[string, unknown]>([
    ['an error of ours', new PermanentError('X', `the CA said ${PKCS8}`)],
    ['a transient error of ours', new TransientError('X', PKCS8.slice(0, -30))],
    ['an error of anybody', new TypeError(`cannot parse ${PKCS8}`)],
    ['a string', JSON.stringify({ 'tls.key': PKCS8 })],
    ['an error of the SDK', awsFailure(new Error(`bad input ${PKCS8}`), 'writing')],
  ])('carries no key out of %s', (_what, error) => {
    const facts = describeFailure(error);
    expect(facts.message).toContain(REMOVED);
    expect(JSON.stringify(facts)).not.toMatch(/PRIVATE KEY|MI[GI]/);
    // Loggers print an error's own message, too.
    if (error instanceof EverleafError) expect(error.message.replaceAll('\n', ' ')).toBe(facts.message);
  });

  it('is one line, and tells no terminal what to do', () => {
    const name = '\u001B]0;pwned\u0007\u001B[2J';
    const error = new PermanentError('X', `the leaf is for\n${name}, not for it`);
    expect(describeFailure(error).message).toBe('the leaf is for ]0;pwned [2J, not for it');
    expect(describeFailure(`one\r\n\ttwo\u009Bthree`).message).toBe('one two three');
  });

  it.each([
    [1_000, 1_000],
    [1_001, 1_000],
    [100_000, 1_000],
  ])('of %d characters is kept as %d', (length, kept) => {
    const text = 'x'.repeat(length);
    for (const error of [text, new PermanentError('X', text)]) {
      const { message } = describeFailure(error);
      expect(message).toHaveLength(kept);
      expect(message.endsWith('…')).toBe(length > 1_000);
    }
  });
});

describe('a failure is described by class, code and', () => {
  it.each<[string, unknown, unknown]>([
    ['nothing else when it is for good', new PermanentError('A', 'b'), { class: 'permanent', code: 'A', message: 'b' }],
    ['nothing else when another won', new ConflictError('A', 'b'), { class: 'conflict', code: 'A', message: 'b' }],
    ['nothing else when it passes', new TransientError('A', 'b'), { class: 'transient', code: 'A', message: 'b' }],
    [
      'what a passing one knows',
      new TransientError('A', 'b', { retryAfterSeconds: 5, endsAttempt: true, mayHaveActed: true }),
      { class: 'transient', code: 'A', message: 'b', retryAfterSeconds: 5, endsAttempt: true, mayHaveActed: true },
    ],
    [
      'that it may have acted, when nobody knows it',
      new RangeError('b'),
      { class: 'unknown', code: 'Unexpected', message: 'RangeError: b', mayHaveActed: true },
    ],
    [
      'that it may have acted, when it is no error at all',
      42,
      { class: 'unknown', code: 'Unexpected', message: '42', mayHaveActed: true },
    ],
  ])('%s', (_what, error, facts) => {
    expect(describeFailure(error)).toStrictEqual(facts);
  });
});

/** An exception as the SDK throws it. */
const sdk = (name: string, status?: number, headers: Record<string, string> = {}): Error =>
  Object.assign(
    new Error('why'),
    { name, $response: { headers } },
    status && { $metadata: { httpStatusCode: status } },
  );
const node = (code: string): Error => Object.assign(new Error('why'), { code, $metadata: { attempts: 3 } });

const transient = (code: string, more: object = {}): object => ({ class: 'transient', code, ...more });
const SILENCE = transient('Unreachable', { mayHaveActed: true });
const NOT_HEARD = transient('Unreachable');

describe("the SDK's", () => {
  it.each<[Error, object]>([
    [sdk('AccessDeniedException', 400), { class: 'permanent', code: 'AccessDenied' }],
    [sdk('AccessDenied', 403), { class: 'permanent', code: 'AccessDenied' }],
    [sdk('UnrecognizedClientException', 400), { class: 'permanent', code: 'AccessDenied' }],
    [sdk('InvalidSignatureException', 400), { class: 'permanent', code: 'AccessDenied' }],
    [sdk('ConditionalCheckFailedException', 400), { class: 'conflict', code: 'Conflict' }],
    [sdk('ThrottlingException', 400), transient('Throttled')],
    [sdk('ProvisionedThroughputExceededException', 400), transient('Throttled')],
    [sdk('TooManyRequestsException', 429, { 'retry-after': '7' }), transient('Throttled', { retryAfterSeconds: 7 })],
    [sdk('ExpiredTokenException', 400), transient('CredentialsExpired')],
    [sdk('RequestExpired', 400), transient('CredentialsExpired')],
    [sdk('InternalServiceError', 500), transient('ServiceFailed')],
    [sdk('ServiceUnavailable', 503, { 'retry-after': '9' }), transient('ServiceFailed', { retryAfterSeconds: 9 })],
    [sdk('SomethingNew', 429), transient('Throttled')],
    [sdk('TransactionInProgressException', 400), transient('Throttled')],
    [sdk('PriorRequestNotComplete', 400), transient('Throttled')],
    [sdk('RequestTimeout', 400), SILENCE],
    [sdk('RequestTimeoutException', 408), SILENCE],
    [sdk('TimeoutError'), SILENCE],
    [sdk('TimeoutError', 200), SILENCE],
    [sdk('AbortError'), SILENCE],
    [node('ECONNRESET'), SILENCE],
    [node('ETIMEDOUT'), SILENCE],
    [node('EPIPE'), SILENCE],
    [new SyntaxError('why'), { ...SILENCE, code: 'AnswerUnreadable' }],
    [node('ECONNREFUSED'), NOT_HEARD],
    [node('ENOTFOUND'), NOT_HEARD],
    [node('EAI_AGAIN'), NOT_HEARD],
    [node('EHOSTUNREACH'), NOT_HEARD],
    [sdk('ValidationException', 400), { class: 'permanent', code: 'Refused' }],
    [sdk('ResourceNotFoundException', 404), { class: 'permanent', code: 'Refused' }],
  ])('%s becomes one of ours', (error, facts) => {
    const failure = awsFailure(error, 'reading secret X');
    expect(describeFailure(failure)).toStrictEqual({
      ...facts,
      message: expect.stringMatching(/^reading secret X: \w+: why/) as unknown,
    });
    expect(failure.cause).toBe(error);
  });

  it('denial tells people what to do', () => {
    expect(awsFailure(sdk('AccessDeniedException', 400), 'reading').message).toContain('grant the action named');
  });

  it('wrapper leaves an error of ours as it is', () => {
    const ours = new ConflictError('A', 'b');
    expect(awsFailure(ours, 'reading')).toBe(ours);
  });
});

describe('Retry-After', () => {
  it.each<[string | undefined, number | undefined]>([
    ['120', 120],
    ['Mon, 01 Jun 2026 12:01:30 GMT', 90],
    ['2026-06-01T14:01:30+02:00', 90],
    // Never before the second that was asked for.
    ['2026-06-01T12:00:00.001Z', 1],
    ['31536000000', 31_536_000_000],
    ['0', undefined],
    ['-5', undefined],
    ['Mon, 01 Jun 2026 11:59:59 GMT', undefined],
    ['Mon, 01 Jun 2026 12:00:00 GMT', undefined],
    ['soon', undefined],
    ['', undefined],
    ['NaN', undefined],
    ['9'.repeat(400), undefined],
    [undefined, undefined],
  ])('of "%s" is %s seconds', (header, seconds) => {
    expect(parseRetryAfter(header, NOON)).toBe(seconds);
  });
});

describe('what is thrown and is no error', () => {
  it('is described all the same, also when it has no text of its own', () => {
    expect(describeFailure(Object.create(null))).toMatchObject({
      class: 'unknown',
      message: '[Object: null prototype] {}',
    });
  });

  it('is described by its surface: what is inside may be anything', () => {
    expect(describeFailure({ why: { body: 'a page of HTML' } }).message).toBe('{ why: [Object] }');
  });
});

describe('a key whose beginning was cut off', () => {
  it.each(['', 'RSA ', 'ENCRYPTED ', 'OPENSSH '])('is removed up to its last line: END %sPRIVATE KEY', (kind) => {
    const tail = `MIGHAgEAMBMGByqGSM49\nAgEGCCqGSM49AwEH\n-----END ${kind}PRIVATE KEY----- and so on`;
    expect(redactPrivateKeys(tail)).toBe('[private key removed] and so on');
  });
});

describe('an error of ours', () => {
  it.each([
    [new TransientError('A', 'b'), 'TransientError'],
    [new PermanentError('A', 'b'), 'PermanentError'],
    [new ConflictError('A', 'b'), 'ConflictError'],
  ])('is named after its kind: $1', (error, name) => {
    expect(error).toMatchObject({ name, code: 'A', message: 'b' });
  });

  it('keeps what caused it', () => {
    const cause = new Error('below');
    expect(new PermanentError('A', 'b', { cause }).cause).toBe(cause);
    expect(new TransientError('A', 'b', { cause }).cause).toBe(cause);
  });

  it('that passes is the CA’s, was not acted on and leaves the attempt alone, unless it says otherwise', () => {
    expect(new TransientError('A', 'b')).toMatchObject({
      blamesCa: true,
      endsAttempt: false,
      mayHaveActed: false,
      retryAfterSeconds: undefined,
    });
  });
});

describe('what fails beside the CA', () => {
  const failing = (error: unknown): Promise<unknown> =>
    sparingCa(async () => {
      throw error;
    });

  it('is the same failure, but for the blame', async () => {
    const facts = { cause: 'c', retryAfterSeconds: 5, endsAttempt: true, mayHaveActed: true };
    const error = await failing(new TransientError('A', 'b', facts)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TransientError);
    expect(error).toMatchObject({ code: 'A', message: 'b', ...facts, blamesCa: false });
  });

  it('and does not pass stays as it is', async () => {
    const error = new PermanentError('A', 'b');
    await expect(failing(error)).rejects.toBe(error);
  });

  it('is nothing when all goes well', async () => {
    await expect(sparingCa(async () => 42)).resolves.toBe(42);
  });
});
