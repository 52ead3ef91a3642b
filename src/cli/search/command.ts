import { Command, InvalidArgumentError, Option } from 'commander'
import { isObject } from '../../json/is-object.js'
import { collectionOption } from '../collection-option.js'
import { collect, count } from '../counts.js'
import { withService } from '../service.js'
import { withStop } from '../with-stop.js'
import type { SearchOptions } from './run.js'

const HELP = `
Words, --image and --record can be combined and repeated: matches are close to all of them. Images
are shown in terminals that support it (kitty, Ghostty, WezTerm, iTerm2). --json prints the
service's response as one object: {"matches": [{"id", "score", "text", "metadata", "image_url"}],
"model", "took_ms"}.

Examples:
  $ semblance search "a dog on a beach"
  $ semblance search --image dog.jpg -n 20 --open              a page with the images, in the browser
  $ semblance search "a dog" --minus "people" --filter '{"label": "beach"}'
  $ semblance search --record 2024/07/dog.jpg --target text
  $ semblance search "a dog" --json | jq -r '.matches[].id'`

/** `semblance search`. */
export function searchCommand(): Command {
  return withService(new Command('search'))
    .description('Search images or texts by words, by images, or by both.')
    .argument('[words...]', 'what the images show')
    .addOption(collectionOption("the collection (default: 'images', or the only one)"))
    .option('-i, --image <file>', 'find records similar to this image', collect)
    .option('-r, --record <id>', 'find records similar to this record', collect)
    .option('--minus <words>', 'lead away from these words', collect)
    .addOption(
      new Option(
        '--target <what>',
        'images, texts, or records by both (default: images, in a collection that has any)'
      ).choices(['image', 'text', 'record'])
    )
    .option('-n, --limit <number>', 'number of matches', count(1, 1000), 10)
    .option('--filter <json>', 'a condition on metadata', parseFilter)
    .option('--exact', 'compare with every record, in place of searching the HNSW graph')
    .option('--json', 'print the response as JSON')
    .option('--open', 'write a page with the images, and open it in a browser if there is one')
    .option('--sheet <file.html>', 'write that page to this file')
    .option('--no-pictures', 'show no images in the terminal')
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
