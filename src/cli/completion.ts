import { Argument, Command } from 'commander'
import { UsageError } from './exit-codes.js'
import { host } from './host.js'

/**
 * What each shell evaluates: it asks `semblance __complete` with the words so far, of which the last is being
 * typed.
 */
const SCRIPTS: Record<string, string> = {
  bash: `_semblance() {
  local IFS=$'\\n' line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(semblance __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -o bashdefault -F _semblance semblance
`,
  zsh: `#compdef semblance
_semblance() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(semblance __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe semblance found; else _files; fi
}
if [[ $funcstack[1] == _semblance ]]; then _semblance; else compdef _semblance semblance; fi
`,
  fish: `function __semblance_complete
  set -l words (commandline -opc)
  semblance __complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c semblance -a '(__semblance_complete)'
`
}

const HELP = `
Examples:
  $ echo 'source <(semblance completion bash)' >> ~/.bashrc
  $ echo 'source <(semblance completion zsh)' >> ~/.zshrc      after compinit
  $ semblance completion fish > ~/.config/fish/completions/semblance.fish`

/** `semblance completion`. */
export function completionCommand(): Command {
  return new Command('completion')
    .description("Print a script that completes semblance's commands, options and choices in a shell.")
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', HELP)
    .action((shell: string) => void host().stdout.write(SCRIPTS[shell]))
}

/**
 * What the scripts ask: candidates for the last of the words, a line each, with a description after a tab.
 */
export function completeCommand(program: () => Command): Command {
  return new Command('__complete')
    .argument('[words...]')
    .allowUnknownOption()
    .action(
      (words: string[] = []) =>
        void host().stdout.write(
          candidates(program(), words)
            .map((line) => `${line.join('\t')}\n`)
            .join('')
        )
    )
}

/**
 * Commands, options or an option's choices by which a command line may continue; none where a file or free
 * text belongs.
 */
export function candidates(program: Command, words: string[]): [value: string, what: string][] {
  if (words.length === 0)
    throw new UsageError('The word to complete is missing; pass an empty one if nothing is typed yet.')
  const [before, typed] = [words.slice(0, -1), words.at(-1)!]
  const command = before.reduce(
    (at, word) => at.commands.find((below) => below.name() === word) ?? at,
    program
  )
  const help = command.createHelp()
  const options = help.visibleOptions(command)
  const option =
    before.length > 0
      ? options.find((one) => [one.long, one.short].includes(before.at(-1)) && (one.required || one.optional))
      : undefined
  const found: [string, string][] = option
    ? (option.argChoices ?? []).map((choice) => [choice, ''])
    : typed.startsWith('-')
      ? options.map((one) => [one.long ?? one.short!, one.description])
      : [
          ...help
            .visibleCommands(command)
            .map((below): [string, string] => [below.name(), below.description()]),
          ...command.registeredArguments.flatMap(({ argChoices = [] }) =>
            argChoices.map((choice): [string, string] => [choice, ''])
          )
        ]
  return found
    .filter(([value]) => value.startsWith(typed))
    .map(([value, what]) => [value, what.replace(/\s+/g, ' ')])
}
