import { Argument, type Command, type Option } from 'commander';
import { completionScript, type CommandWords, SHELLS } from '../completion/scripts.ts';

/** `everleaf completion SHELL`, from the program as it is. */
export function addCompletion(everleaf: Command): void {
  everleaf
    .command('completion')
    .description('print a script that completes commands, options and names')
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  source <(everleaf completion bash)                                     in ~/.bashrc
  source <(everleaf completion zsh)                                      in ~/.zshrc, after compinit
  everleaf completion fish > ~/.config/fish/completions/everleaf.fish`,
    )
    .action((shell: (typeof SHELLS)[number]) => {
      process.stdout.write(completionScript(shell, everleaf.commands.map(wordsOf)));
    });

  // Asked for by those scripts: names from the manifests at hand, since asking AWS would take seconds.
  everleaf.command('names', { hidden: true }).action(async () => {
    const { names } = await import('../commands/names.ts');
    names('certificates', process);
  });
}

const wordsOf = (command: Command): CommandWords => ({
  name: command.name(),
  description: command.description(),
  options: command.options.map(optionWords),
  takesNames: command.registeredArguments.some((argument) => /^names?$/.test(argument.name())),
  choices: command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
});

const optionWords = ({ long, description, argChoices = [], required }: Option): CommandWords['options'][number] => ({
  flag: long ?? '',
  description,
  choices: argChoices,
  takesValue: required,
});
