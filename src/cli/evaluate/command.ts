import { Command, InvalidArgumentError, Option } from 'commander'
import { FORMATS } from '../../evaluation/datasets/dataset.js'
import { TASKS, type TaskName } from '../../evaluation/report.js'
import { collect, count } from '../counts.js'
import { withService } from '../service.js'
import type { EvaluateOptions } from './options.js'

const HELP = `
What a dataset is:
  captions.json     COCO captions, or Karpathy's splits (--split test)
  captions.csv      Flickr's captions, or a table of images and texts (file_name, text)
  folder/           a folder a class; or images with metadata.jsonl (file_name, text or label)
  examples.jsonl    Winoground's pairs (image_0, image_1, caption_0, caption_1), or an image with a
                    true caption and false ones
  embeddings/       image and text embeddings as .npy, for which no model is needed
  Images are looked for beside the file, or in --images.

Tasks, done where the dataset has what they need:
  ${TASKS.join(', ')}.

Models come from MODEL and MODELS_DIR, as those of the service do, and run in this process: no
service is needed. Embeddings are kept in DATA_DIR/evaluation-cache by the model's fingerprint and
the image's bytes: a second evaluation encodes only what is new, and one that was stopped goes on
where it was. What can't be read is left out, counted and named in the report.

With --collection a service evaluates one of its collections by the embeddings that it has, with
its own models: images are not encoded again, and its index is measured beside exact search.
--label-field names the field of the metadata that has the classes.

Examples:
  $ semblance evaluate coco/captions_val.json --images coco/val2014 --limit 1000
  $ semblance evaluate pets/ --tasks zero-shot --templates imagenet-80 --html pets.html
  $ semblance evaluate pets/ captions.json --against Xenova/clip-vit-base-patch32 --json report.json
  $ semblance evaluate pets/ --json | jq '.datasets[0].results[0].tasks[0].figures'
  $ semblance evaluate laion/ --tasks retrieval --ef-search 64     embeddings in two .npy files
  $ semblance evaluate --collection photos --label-field kind --html photos.html`

/** `semblance evaluate`. */
export function evaluateCommand(): Command {
  return withService(new Command('evaluate'))
    .description(
      'Measure a model on your own data: retrieval, classification, what it leans on and what it withstands.'
    )
    .argument('[dataset...]', 'files or folders, each a dataset')
    .option('-c, --collection <name>', 'a collection of a service, in place of datasets')
    .option(
      '--label-field <field>',
      'of a collection, the field of the metadata that has the class of a record'
    )
    .addOption(
      new Option('--format <format>', 'how the dataset is written (default: made out by itself)').choices(
        FORMATS
      )
    )
    .option('--images <folder>', 'where the images of the dataset lie')
    .option('--split <name>', 'the part of the dataset that is used')
    .option('--limit <number>', 'use so many items of each dataset, the first', count(1, 1e9))
    .option('--tasks <names>', 'tasks, comma-separated (default: all that the dataset allows)', parseTasks)
    .option(
      '--model <name>',
      'a name under MODELS_DIR or a folder; name:variant for a variant (default: MODEL)'
    )
    .option('--against <name>', 'a second model, compared with the first on the same items')
    .option(
      '--templates <template>',
      'a set (simple, imagenet-7, imagenet-80) or a sentence with {label}; may be given several times',
      collect
    )
    .option('--seed <number>', 'of all that is drawn at random (default: 0)', count(0, 2 ** 32 - 1))
    .option('--resamples <number>', 'bootstrap samples of the intervals (default: 1000)', count(10, 100_000))
    .option('--confidence <part>', 'of the intervals (default: 0.95)', parseConfidence)
    .addOption(
      new Option(
        '--duplicates <what>',
        'whether equal images and equal captions are one (default: merge)'
      ).choices(['merge', 'keep'])
    )
    .option(
      '--m <number>',
      'links of a node in the HNSW graph whose loss is shown (default: 16)',
      count(2, 200)
    )
    .option('--ef-construction <number>', 'candidates while it is built (default: 200)', count(1, 10_000))
    .option('--ef-search <number>', 'candidates of a search in it (default: 128)', count(1, 10_000))
    .option(
      '--json [file]',
      'write the report as JSON, to standard output in place of the table where no file is named'
    )
    .option('--html <file>', 'write the report as one page with plots and pictures')
    .option('--card <folder>', "write a model card's figures and pictures into a folder")
    .option('--save-embeddings <folder>', 'write all that was embedded as .npy, with its names')
    .option(
      '--cache <folder>',
      'keep embeddings here, up to EVALUATION_CACHE_MIB a model (default: evaluation-cache in DATA_DIR)'
    )
    .option('--no-cache', 'keep no embeddings')
    .addHelpText('after', HELP)
    .action(async (datasets: string[], options: EvaluateOptions) => {
      if (options.collection !== undefined)
        return (await import('./run-collection.js')).evaluateOwn(options.collection, datasets, options)
      const { evaluate } = await import('./run.js')
      await evaluate(datasets, options)
    })
}

function parseTasks(text: string): TaskName[] {
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !TASKS.includes(name as TaskName))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no task '${unknown}'; the tasks are ${TASKS.join(', ')}.`)
  return names as TaskName[]
}

function parseConfidence(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value < 1))
    throw new InvalidArgumentError('It must be a number between 0 and 1, such as 0.95.')
  return value
}
