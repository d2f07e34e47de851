import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { WriteStream } from 'node:tty';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Format, FORMATS, validate } from '../../bin/commands/validate.ts';
import { Sink } from '../support/sink.ts';
import { CERTIFICATE, ISSUERS } from './support.ts';

const PLANTED = 'test/manifest/planted';

async function run(path: string, options: { format?: Format; stdin?: string | Buffer; terminal?: object } = {}) {
  const stdout = Object.assign(new Sink(), options.terminal);
  const stderr = new Sink();
  const stdin = Readable.from([Buffer.from(options.stdin ?? '')]);
  const code = await validate(path, { format: options.format ?? 'text' }, { stdout, stderr, stdin });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

// Whatever the terminal that runs the tests wishes.
beforeEach(() => {
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS', 'CI', 'TMUX']) vi.stubEnv(name, undefined);
  vi.stubEnv('TERM', 'xterm-256color');
});
afterEach(() => vi.unstubAllEnvs());

describe('everleaf validate', () => {
  it('finds nothing to say about the samples', async () => {
    expect(await run('certificates')).toEqual({
      code: 0,
      stdout: '9 certificates, 4 issuers, 2 hooks, no errors, no warnings\n',
      stderr: '',
    });
  });

  it('says of each planted mistake where it is and what to do', async () => {
    const { code, stdout, stderr } = await run(PLANTED);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    await expect(stdout).toMatchFileSnapshot('planted.txt');
  });

  it('prints one JSON document that says the same', async () => {
    const { code, stdout } = await run(PLANTED, { format: 'json' });
    const answer = JSON.parse(stdout) as { findings: { file: string; severity: string }[] };
    expect(code).toBe(1);
    expect(answer).toMatchObject({ certificates: 16, issuers: 11, skipped: { ConfigMap: 1, 'Deployment.apps': 1 } });
    const text = (await run(PLANTED)).stdout;
    expect(answer.findings).toHaveLength(
      text.match(/^test\/manifest\/planted\/\S+:\d+:\d+ (?:error|warning) /gm)?.length ?? 0,
    );
    expect(answer.findings).toContainEqual({
      severity: 'error',
      code: 'InvalidDuration',
      file: `${PLANTED}/01-typing-mistakes.yaml`,
      line: 21,
      column: 13,
      message: '"90d" is not a duration.',
      remedy: 'Write `2160h`: hours are the largest unit.',
      value: '"90d"',
      excerpt: '  duration: 90d',
    });
  });

  it.each(FORMATS)('never shows what a Secret holds (as %s)', async (format) => {
    expect((await run(PLANTED, { format })).stdout).not.toContain('bm90LWEta2V5LWJ1dC1hLWNhbmFyeQ');
  });

  it.each(FORMATS)('never shows a password (as %s)', async (format) => {
    expect((await run(PLANTED, { format })).stdout).not.toContain('canary-changeit');
  });

  it('ends well when there are only warnings', async () => {
    const { code, stdout } = await run('-', {
      stdin: `${ISSUERS.text}---\n${CERTIFICATE}  encodeUsagesInRequest: false\n`,
    });
    expect(code).toBe(0);
    expect(stdout).toContain('1 certificate, 2 issuers, no errors, 1 warning\n');
  });

  it('reads what is piped into it', async () => {
    const { code, stdout } = await run('-', { stdin: 'kind: [\n' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^stdin:2:1 error /);
  });

  it('refuses what is piped into it and is no UTF-8', async () => {
    const { code, stdout } = await run('-', { stdin: Buffer.from([0xff, 0xfe, 0x00]) });
    expect(code).toBe(1);
    expect(stdout).toContain('stdin:1:1 error NotUtf8');
  });

  it('says how a certificate is told when there is none', async () => {
    const { code, stdout } = await run('-', { stdin: '' });
    expect(code).toBe(0);
    expect(stdout).toContain('Certificates are documents of kind Certificate, apiVersion cert-manager.io/v1.');
  });

  it('answers 2 for a folder that is not there, with its full path', async () => {
    const { code, stdout, stderr } = await run('test/manifest/nowhere');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`There is no folder ${process.cwd()}/test/manifest/nowhere`);
  });

  it('paints for a terminal only, and only when it may', async () => {
    const terminal = { isTTY: true, getColorDepth: () => WriteStream.prototype.getColorDepth() };
    const escape = '\u001b[';
    expect((await run(PLANTED, { terminal })).stdout).toContain(escape);
    expect((await run(PLANTED)).stdout).not.toContain(escape);
    vi.stubEnv('NO_COLOR', '1');
    expect((await run(PLANTED, { terminal })).stdout).not.toContain(escape);
  });

  it('annotates a pull request: one command a finding, nothing in it that ends a line', async () => {
    const { code, stdout } = await run(PLANTED, { format: 'github' });
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    const commands = lines.filter((line) => line.startsWith('::'));
    expect(commands.length).toBe(lines.length - 2);
    expect(commands).toContain(
      `::error file=${PLANTED}/01-typing-mistakes.yaml,line=21,col=13,title=InvalidDuration::"90d" is not a duration.%0AWrite \`2160h\`: hours are the largest unit.`,
    );
    for (const command of commands) {
      expect(command).toMatch(/^::(?:error|warning) file=[^,:]+,line=\d+,col=\d+,title=\w+::/);
    }
  });

  it('annotates nothing of what was piped in, and says the place', async () => {
    const { stdout } = await run('-', { format: 'github', stdin: 'a: 100%\n' });
    expect(stdout).toMatch(/^::error title=NotAnObject::stdin:1:1 This document/);
  });

  it('reads a rendered chart that is larger than any one file may be', async () => {
    const chart = `${ISSUERS.text}---\n${CERTIFICATE}---\n${'# comment\n'.repeat(200_000)}`;
    const { code, stdout } = await run('-', { stdin: chart });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1 certificate, 2 issuers, no errors, no warnings\n' });
  });

  it('stops reading a stream that never ends', async () => {
    let chunks = 0;
    const endless = (async function* () {
      for (;;) {
        chunks += 1;
        yield Buffer.alloc(1024 * 1024, '#');
      }
    })();
    const stderr = new Sink();
    expect(await validate('-', { format: 'text' }, { stdout: new Sink(), stderr, stdin: endless })).toBe(2);
    expect(chunks).toBe(17);
    expect(stderr.text).toContain('stdin holds more than 16,777,216 bytes');
  });

  it('counts on a terminal while it reads a large folder, and leaves no trace there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'everleaf-validate-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (let file = 0; file < 250; file++) writeFileSync(join(folder, `${file}.yaml`), '');
    const stderr = Object.assign(new Sink(), { isTTY: true });
    await validate(folder, { format: 'text' }, { stdout: new Sink(), stderr });
    expect(stderr.text).toContain('\r\u001b[2K100 of 250 files read');
    expect(stderr.text.endsWith('\r\u001b[2K')).toBe(true);
    expect((await run(folder)).stderr).toBe('');
  });
});
