import { Command, InvalidArgumentError, Option } from 'commander'
import { isObject } from '../../json/is-object.js'
import { collectionOption } from '../collection-option.js'
import { collect, count } from '../counts.js'
import { withService } from '../service.js'
import { withStop } from '../with-stop.js'
import type { SearchOptions } from './run.js'

const HELP = `
Words, --image and --record may be given together, and several times: what is found is near to all
of them. Pictures are shown in terminals that can (kitty, Ghostty, WezTerm, iTerm2). --json prints
the service's answer, one object: {"matches": [{"id", "score", "text", "metadata", "image_url"}],
"model", "took_ms"}.

Examples:
  $ semblance search "a dog on a beach"
  $ semblance search --image dog.jpg -n 20 --open              a page with the pictures, in the browser
  $ semblance search "a dog" --minus "people" --filter '{"label": "beach"}'
  $ semblance search --record 2024/07/dog.jpg --target text
  $ semblance search "a dog" --json | jq -r '.matches[].id'`

/** `semblance search`. */
export function searchCommand(): Command {
  return withService(new Command('search'))
    .description('Find pictures, or texts, by words, by pictures, or by both.')
    .argument('[words...]', 'what they show')
    .addOption(collectionOption("the collection (default: 'images', or the only one there is)"))
    .option('-i, --image <file>', 'find what is like this picture', collect)
    .option('-r, --record <id>', 'find what is like this record', collect)
    .option('--minus <words>', 'lead away from these words', collect)
    .addOption(
      new Option(
        '--target <what>',
        'pictures, texts, or records by both (default: pictures, in a collection that has any)'
      ).choices(['image', 'text', 'record'])
    )
    .option('-n, --limit <number>', 'how many', count(1, 1000), 10)
    .option('--filter <json>', 'a condition on metadata', parseFilter)
    .option('--exact', 'compare with every record, in place of the HNSW graph')
    .option('--json', 'print the answer as JSON')
    .option('--open', 'write a page with the pictures, and open it in the browser where there is one')
    .option('--sheet <file.html>', 'write that page here')
    .option('--no-pictures', 'show no pictures in the terminal')
    .addHelpText('after', HELP)
    .action(async (words: string[], options: SearchOptions) => {
      const { queryOf, runSearch } = await import('./run.js')
      const query = await queryOf(words.join(' '), options)
      await withStop(options, (service, signal) =>
        runSearch(service, { words: words.join(' '), query }, { ...options, signal })
      )
    })
}

function parseFilter(text: string): Record<string, unknown> {
  try {
    const filter: unknown = JSON.parse(text)
    // What is nested too deep to be sent throws here.
    JSON.stringify(filter)
    if (isObject(filter)) return filter
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('It must be a JSON object, such as \'{"label": "cat"}\'.')
}
