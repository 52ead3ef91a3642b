import { Command, Option } from 'commander'
import type { CreateOptions, DropOptions, ReindexOptions, ShowOptions } from './options.js'
import { count } from '../counts.js'
import { withService } from '../service.js'

const EXAMPLES: Record<string, string> = {
  list: "$ semblance collections list --json | jq -r '.collections[].name'",
  show: '$ semblance collections show images',
  create: `$ semblance collections create pets --storage thumbnail
  $ semblance collections create mine --no-model --dimension 512     for embeddings supplied by clients`,
  drop: `$ semblance collections drop pets
  $ semblance collections drop pets --yes                            without confirmation`,
  reindex: '$ semblance collections reindex images --model Xenova/clip-vit-base-patch32'
}

/** `semblance collections`. */
export function collectionsCommand(): Command {
  const collections = new Command('collections').description(
    'List, show, create, drop and re-index collections.'
  )
  for (const command of [listCommand(), showCommand(), createCommand(), dropCommand(), reindexCommand()]) {
    collections.addCommand(
      withService(command).addHelpText('after', `\nExamples:\n  ${EXAMPLES[command.name()]}`)
    )
  }
  return collections
}

function listCommand(): Command {
  return new Command('list')
    .description('List the collections.')
    .option('--json', 'print the service\'s response: {"collections": [...]}')
    .action(async (options: ShowOptions) => (await import('./list.js')).listCollections(options))
}

function showCommand(): Command {
  return new Command('show')
    .description('Show a collection: its counts, model, storage and settings.')
    .argument('<collection>')
    .option('--json', 'print it as JSON')
    .action(async (collection: string, options: ShowOptions) =>
      (await import('./show.js')).show(collection, options)
    )
}

function createCommand(): Command {
  return new Command('create')
    .description('Create a collection; repeating the command with the same settings changes nothing.')
    .argument('<collection>', 'a to z, 0 to 9, _ and -')
    .option('--model <name>', "the model (default: the service's first model)")
    .option('--no-model', 'no model: clients supply embeddings of the given dimension')
    .option('--dimension <number>', 'dimension of the embeddings that clients supply', count(1, 8192))
    .addOption(
      new Option('--storage <what>', 'what to keep of images').choices(['original', 'thumbnail', 'none'])
    )
    .option('--ef-search <number>', 'candidates during a search', count(8, 10_000))
    .option('--json', 'print it as JSON')
    .action(async (collection: string, options: CreateOptions) =>
      (await import('./create.js')).create(collection, options)
    )
}

function dropCommand(): Command {
  return new Command('drop')
    .description('Delete a collection with all its records, after confirmation.')
    .argument('<collection>')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (collection: string, options: DropOptions) =>
      (await import('./drop.js')).drop(collection, options)
    )
}

function reindexCommand(): Command {
  return new Command('reindex')
    .description(
      'Re-index a collection with the same or another model; it can be searched meanwhile. Ctrl-C ' +
        'stops waiting; the job continues as long as the service runs.'
    )
    .argument('<collection>')
    .option('--model <name>', "a loaded model (default: the service's first model)")
    .option('--skip-missing', 'continue without images that were not kept')
    .option('--json', 'print the job as JSON when it has ended')
    .action(async (collection: string, options: ReindexOptions) =>
      (await import('./reindex.js')).reindex(collection, options)
    )
}
