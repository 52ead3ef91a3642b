import { Command, InvalidArgumentError, Option } from 'commander'
import { COLUMN_TYPES, type ColumnType } from '../../files/columns.js'
import { collectionOption, USUAL_COLLECTION } from '../collection-option.js'
import { collect, count } from '../counts.js'
import { withService } from '../service.js'
import { withStop } from '../with-stop.js'
import type { IndexOptions } from './run.js'

const HELP = `
Sources:
  a folder         its images, also in subfolders (jpeg, png, webp, gif, tiff, avif); their relative
                   paths are the ids. Captions are read from metadata.jsonl or metadata.csv there
                   (file_name, text; other fields become metadata), or else from a .txt file of the
                   same name beside the image
  'photos/**/*.jpg'  a wildcard in quotes: the images of a folder whose paths match
  images           one or more; their paths from the working directory are the ids
  table.csv, .tsv  with a header: file_name (or path, image, file), text (or caption), id; other
                   columns become metadata
  lines.ndjson     records as in the API, one per line; '-' reads them from standard input

A column of a .csv or .tsv becomes numbers if every cell is a plain number, such as 12 or -0.5, and
booleans if every cell is true or false; empty cells are left out. All other columns are strings,
including those with leading zeros (00123), a plus sign, separators (1,000), exponents, or more
digits than a double keeps. --types zip=string and --strings change this. Text is UTF-8, with or
without a byte order mark, or UTF-16 with one; any other line fails and is reported.

Names that begin with a dot are left out, and so are @eaDir, #recycle, #snapshot, @Recycle,
@Recently-Snapshot, $RECYCLE.BIN, System Volume Information, lost+found, Thumbs.db and desktop.ini.
Links to folders are followed if they lead out of the folder. --prune also deletes the records of
files that are now left out; the records of a folder without any image stay unless --yes is given.

Unchanged files are not sent again: each record keeps the size and time of its file in metadata.file,
and the command compares these. Run the same command again to continue after a stop, and to update
a collection. A run that is stopped by a full disk, a lost connection or Ctrl-C reports how many
records are stored and how to continue; for standard input it names the line to continue from. With
--json, this is in the field stopped. Texts and fields that were added to a record stay, and so do
those that the source no longer has: remove them from the record itself.

Examples:
  $ semblance index ~/Pictures
  $ semblance index ~/Pictures --prune                       also delete the records of deleted files
  $ semblance index pets/ -c pets --label                    pets/cat/1.jpg gets the metadata {"label": "cat"}
  $ semblance index catalogue.csv -c shop --text-column title
  $ semblance export old | semblance index - -c new          all records of another collection
  $ semblance index /mnt/nas --prefix nas/ --url https://search.example.org --json`

/** `semblance index`. */
export function indexCommand(): Command {
  return withService(new Command('index'))
    .description('Add images with their captions to a collection; repeat the command to update it.')
    .argument(
      '<source...>',
      "a folder, a wildcard in quotes, images, a .csv, .tsv, .ndjson or .jsonl, or '-'"
    )
    .addOption(collectionOption('the collection, created if it does not exist').default(USUAL_COLLECTION))
    .option('--prefix <text>', 'prefix of each id, so that several folders can share a collection', '')
    .option('--label', "store the name of an image's folder as metadata.label")
    .option('--text-column <name>', 'the column that is the text (default: text or caption)')
    .option(
      '--types <column=type>',
      'type of a column of a .csv or .tsv: string, number or boolean; may be given several times',
      parseType
    )
    .option('--strings', 'keep all cells of a .csv or .tsv as strings')
    .option(
      '--exclude <pattern>',
      'leave out files and folders with this name, or with this path if it has a slash, such as ' +
        "'*-thumb.jpg' or 'private/**'; may be given several times",
      collect
    )
    .option(
      '--no-default-excludes',
      'do not leave out the thumbnail, trash and snapshot folders of NAS and operating systems'
    )
    .option(
      '--max-failures <number>',
      'exit with 0 if at most this many files or lines failed (default: 0)',
      count(0, 1e9)
    )
    .option('--all', 'also send unchanged files')
    .option(
      '--prune',
      'delete the records, among those with the prefix, whose files are no longer in the folder; if ' +
        'folders share a collection, give each its own --prefix'
    )
    .option('-y, --yes', 'with --prune, also delete all records of a folder that has no image any more')
    .addOption(
      new Option('--storage <what>', 'for a new collection: what to keep of images').choices([
        'original',
        'thumbnail',
        'none'
      ])
    )
    .option('--model <name>', "for a new collection: the model (default: the service's first model)")
    .option('--json', 'print the result as one JSON object')
    .addHelpText('after', HELP)
    .action(async (sources: string[], options: IndexOptions) => {
      const { planIndex, runIndex } = await import('./run.js')
      const plan = await planIndex(sources, options)
      await withStop(options, (service, signal) => runIndex(service, plan, { ...options, signal }))
    })
}

/** A value of `--types`, such as `zip=string`, with those before it. */
function parseType(
  text: string,
  before: ReadonlyMap<string, ColumnType> = new Map()
): ReadonlyMap<string, ColumnType> {
  const [, name, type] = /^(.+)=([a-z]+)$/.exec(text) ?? []
  if (!COLUMN_TYPES.includes(type as ColumnType))
    throw new InvalidArgumentError(
      `It must be a column and its type, such as 'zip=string'; the types are ${COLUMN_TYPES.join(', ')}.`
    )
  return new Map([...before, [name, type as ColumnType]])
}
