import { Command, InvalidArgumentError, Option } from 'commander'
import { COLUMN_TYPES, type ColumnType } from '../../files/columns.js'
import { collectionOption, USUAL_COLLECTION } from '../collection-option.js'
import { collect, count } from '../counts.js'
import { withService } from '../service.js'
import { withStop } from '../with-stop.js'
import type { IndexOptions } from './run.js'

const HELP = `
What is indexed:
  a folder         its images and those below it (jpeg, png, webp, gif, tiff, avif), by their paths
                   from it. Captions are taken from metadata.jsonl or metadata.csv there (file_name,
                   text, others become metadata), or else from a .txt of the same name beside the
                   image
  'photos/**/*.jpg'  a wildcard in quotes: those of a folder whose paths fit
  images           one or more, by their paths from the working directory
  table.csv, .tsv  with a header: file_name (or path, image, file), text (or caption), id; others
                   become metadata
  lines.ndjson     records as the API takes them, a line each; '-' reads them from standard input

A column of a .csv or .tsv becomes numbers where every cell is a plain number, such as 12 or -0.5, and
true or false where every cell is one of these; empty cells are left out. All other columns are
strings, so are those with leading zeros (00123), a plus sign, separators (1,000), exponents, or more
digits than a double keeps. --types zip=string and --strings say otherwise. Text is UTF-8, with or
without a byte order mark, or UTF-16 with one; a line that is neither fails and is named.

Left out are names that begin with a dot, and @eaDir, #recycle, #snapshot, @Recycle,
@Recently-Snapshot, $RECYCLE.BIN, System Volume Information, lost+found, Thumbs.db and desktop.ini.
Links to folders are followed where they lead out of the folder. With --prune, the records of files
that are left out now are deleted, too; those of a folder without any image stay unless --yes is given.

What is unchanged is not sent again: a record keeps size and time of its file in metadata.file, and
the collection is asked for them. Run the same command to go on after it was stopped, and to bring a
collection up to date. A run that is stopped, by a full disk, a lost connection or Ctrl-C, says how
many records are stored and how to go on: lines of standard input are piped in from the one that it
names. With --json the field stopped says it. A text or a field that was added to a record stays, and
so does one that the source does not say any more: take that out of the record itself.

Examples:
  $ semblance index ~/Pictures
  $ semblance index ~/Pictures --prune                       also drop the records of files that are gone
  $ semblance index pets/ -c pets --label                    pets/cat/1.jpg gets the metadata {"label": "cat"}
  $ semblance index catalogue.csv -c shop --text-column title
  $ semblance export old | semblance index - -c new          all records of another collection
  $ semblance index /mnt/nas --prefix nas/ --url https://search.example.org --json`

/** `semblance index`. */
export function indexCommand(): Command {
  return withService(new Command('index'))
    .description('Add images, with their captions, to a collection; again to bring it up to date.')
    .argument(
      '<source...>',
      "a folder, a wildcard in quotes, images, a .csv, .tsv, .ndjson or .jsonl, or '-'"
    )
    .addOption(collectionOption('the collection, made if it is not there').default(USUAL_COLLECTION))
    .option('--prefix <text>', 'put before each id, so that several folders share a collection', '')
    .option('--label', "keep the name of an image's folder as metadata.label")
    .option('--text-column <name>', 'the column that is the text (default: text or caption)')
    .option(
      '--types <column=type>',
      'what the cells of a column of a .csv or .tsv become: string, number or boolean; may be given ' +
        'several times',
      parseType
    )
    .option('--strings', 'keep all cells of a .csv or .tsv as strings')
    .option(
      '--exclude <pattern>',
      'leave out files and folders of this name, or of this path where it has a slash, such as ' +
        "'*-thumb.jpg' or 'private/**'; may be given several times",
      collect
    )
    .option(
      '--no-default-excludes',
      'do not leave out thumbnail, trash and snapshot folders of NAS and operating systems'
    )
    .option(
      '--max-failures <number>',
      'exit with 0 where no more than so many files or lines failed (default: 0)',
      count(0, 1e9)
    )
    .option('--all', 'send what is unchanged, too')
    .option(
      '--prune',
      'delete the records that came from files, of those with the prefix, and that the folder does not ' +
        'have any more; where folders share a collection give each its --prefix'
    )
    .option(
      '-y, --yes',
      'with --prune, delete also all the records of a folder in which there is no image any more'
    )
    .addOption(
      new Option('--storage <what>', 'of a new collection: what it keeps of images').choices([
        'original',
        'thumbnail',
        'none'
      ])
    )
    .option('--model <name>', 'of a new collection: the model (default: the first of the service)')
    .option('--json', 'print what became of it as one JSON object')
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
