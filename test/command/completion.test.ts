import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completionScript, type CommandWords } from '../../bin/completion/scripts.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EVERLEAF = join(ROOT, 'bin', 'everleaf.ts');

const run = (...options: readonly string[]): string =>
  spawnSync(process.execPath, [EVERLEAF, ...options], { encoding: 'utf8', cwd: ROOT }).stdout;

/** What bash would offer after these words. `everleaf` itself is a function that calls this checkout's. */
function offered(script: string, ...words: readonly string[]): readonly string[] {
  const text = `everleaf() { "${process.execPath}" "${EVERLEAF}" "$@"; }
${script}
COMP_WORDS=(everleaf ${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
_everleaf
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', text], { encoding: 'utf8', cwd: ROOT });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('completion for bash', () => {
  const script = run('completion', 'bash');

  it('offers the commands there are, their options, and what an option may be', () => {
    expect(offered(script, 're')).toEqual(['renew', 'retry', 'revoke', 'rebuild']);
    expect(offered(script, 'revoke', '--re')).toEqual(['--reason']);
    expect(offered(script, 'revoke', '--reason', 'key')).toEqual(['keyCompromise']);
    expect(offered(script, 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(offered(script, '')).not.toContain('names');
  });

  it('offers the certificates of the manifests at hand', () => {
    expect(offered(script, 'renew', 'payments/o')).toEqual(['payments/orders']);
  });
});

describe('completion for the other shells', () => {
  const command: CommandWords = {
    name: 'renew',
    description: "ask for a certificate's renewal",
    options: [
      { flag: '--issuer', description: 'those [all] of: it', choices: [], takesValue: true },
      { flag: '--reason', description: 'why', choices: ['superseded'], takesValue: true },
      { flag: '--yes', description: 'do not ask', choices: [], takesValue: false },
    ],
    takesNames: true,
    choices: [],
  };

  it('is what zsh reads: nothing in a description divides it', () => {
    expect(completionScript('zsh', [command])).toContain(
      "renew) _arguments '--issuer[those  all  of  it]:value:' '--reason[why]:value:(superseded)' '--yes[do not ask]' " +
        "'*:name:($(everleaf names 2>/dev/null))' ;;",
    );
    expect(completionScript('zsh', [command])).toContain(String.raw`'renew:ask for a certificate'\''s renewal'`);
  });

  it('is what fish reads', () => {
    expect(completionScript('fish', [command]).split('\n')).toEqual([
      String.raw`complete -c everleaf -n __fish_use_subcommand -f -a renew -d 'ask for a certificate'\''s renewal'`,
      "complete -c everleaf -n '__fish_seen_subcommand_from renew' -l issuer -r -d 'those [all] of: it'",
      "complete -c everleaf -n '__fish_seen_subcommand_from renew' -l reason -r -f -a 'superseded' -d 'why'",
      "complete -c everleaf -n '__fish_seen_subcommand_from renew' -l yes -d 'do not ask'",
      "complete -c everleaf -n '__fish_seen_subcommand_from renew' -f -a '(everleaf names 2>/dev/null)'",
      '',
    ]);
  });
});
