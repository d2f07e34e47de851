export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** What a shell has to know of one command. */
export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly {
    readonly flag: string;
    readonly description: string;
    readonly choices: readonly string[];
    readonly takesValue: boolean;
  }[];
  /** True where an argument is a certificate's name. */
  readonly takesNames: boolean;
  /** What an argument may be. */
  readonly choices: readonly string[];
}

export function completionScript(shell: (typeof SHELLS)[number], commands: readonly CommandWords[]): string {
  const shown = commands.filter(({ name }) => name !== 'names');
  return { bash, zsh, fish }[shell](shown);
}

const words = (list: readonly string[]): string => list.join(' ');

/** Within single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, options, takesNames, choices }) => {
    const values = options
      .filter(({ takesValue }) => takesValue)
      .map(
        (option) => `      ${option.flag}) COMPREPLY=($(compgen -W "${words(option.choices)}" -- "$word")); return ;;`,
      );
    const rest = takesNames ? '$(everleaf names 2>/dev/null)' : words(choices);
    return [
      `  ${name})`,
      ...(values.length === 0 ? [] : ['    case "$before" in', ...values, '    esac']),
      `    if [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "${words(options.map(({ flag }) => flag))}" -- "$word"))`,
      `    else COMPREPLY=($(compgen -W "${rest}" -- "$word")); fi ;;`,
    ].join('\n');
  });
  return `_everleaf() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${words(commands.map(({ name }) => name))}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -o default -F _everleaf everleaf
`;
}

function zsh(commands: readonly CommandWords[]): string {
  // In _arguments a colon divides, and brackets hold a description.
  const plain = (text: string): string => text.replaceAll(/[[\]:]/g, ' ');
  const cases = commands.map(({ name, options, takesNames, choices }) => {
    const flags = options.map(({ flag, description, choices: values, takesValue }) =>
      quoted(
        `${flag}[${plain(description)}]${takesValue ? `:value:${values.length === 0 ? '' : `(${words(values)})`}` : ''}`,
      ),
    );
    const rest = takesNames ? `'*:name:($(everleaf names 2>/dev/null))'` : quoted(`*:argument:(${words(choices)})`);
    return `    ${name}) _arguments ${[...flags, takesNames || choices.length > 0 ? rest : `'*:file:_files'`].join(' ')} ;;`;
  });
  return `#compdef everleaf
_everleaf() {
  local -a commands=(${commands.map(({ name, description }) => quoted(`${name}:${plain(description)}`)).join(' ')})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _everleaf everleaf
`;
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, description, options, takesNames, choices }) => {
    const on = `complete -c everleaf -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c everleaf -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
      ...options.map((option) => {
        const values = option.choices.length === 0 ? '' : ` -f -a ${quoted(words(option.choices))}`;
        const required = option.takesValue ? ` -r${values}` : '';
        return `${on} -l ${option.flag.replace(/^--/, '')}${required} -d ${quoted(option.description)}`;
      }),
      ...(takesNames ? [`${on} -f -a '(everleaf names 2>/dev/null)'`] : []),
      ...(choices.length === 0 ? [] : [`${on} -f -a ${quoted(words(choices))}`]),
    ];
  });
  return `${lines.join('\n')}\n`;
}
