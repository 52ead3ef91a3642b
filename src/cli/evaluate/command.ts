import { Command, InvalidArgumentError, Option } from 'commander'
import { FORMATS } from '../../evaluation/datasets/dataset.js'
import { TASKS, type TaskName } from '../../evaluation/report.js'
import { collect, count } from '../counts.js'
import { withService } from '../service.js'
import type { EvaluateOptions } from './options.js'

const HELP = `
Dataset formats:
  captions.json     COCO captions, or Karpathy's splits (--split test)
  captions.csv      Flickr's captions, or a table of images and texts (file_name, text)
  folder/           one folder per class; or images with metadata.jsonl (file_name, text or label)
  examples.jsonl    Winoground's pairs (image_0, image_1, caption_0, caption_1), or an image with a
                    true caption and false ones
  embeddings/       image and text embeddings as .npy, which need no model
  Images are read from the folder of the file, or from --images.

Tasks, as far as the dataset supports them:
  ${TASKS.join(', ')}.

Models are read from MODEL and MODELS_DIR, as in the service, and run in this process: no
service is needed. Embeddings are cached in DATA_DIR/evaluation-cache by the model's fingerprint and
the image's bytes: a second evaluation encodes only new items, and a stopped evaluation continues
where it was. Unreadable items are left out, counted and listed in the report.

With --collection, a service evaluates one of its collections with the stored embeddings and its
own models: images are not encoded again, and its index is compared with exact search.
--label-field names the metadata field that holds the classes.

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
    .description('Measure a model on your own data: retrieval, classification, biases and robustness.')
    .argument('[dataset...]', 'files or folders; each is a dataset')
    .option('-c, --collection <name>', 'a collection of a service, in place of datasets')
    .option('--label-field <field>', 'for a collection: the metadata field that holds the class of a record')
    .addOption(new Option('--format <format>', 'format of the dataset (default: detected)').choices(FORMATS))
    .option('--images <folder>', "folder of the dataset's images")
    .option('--split <name>', 'split of the dataset to use')
    .option('--limit <number>', 'use only the first items of each dataset', count(1, 1e9))
    .option('--tasks <names>', 'tasks, comma-separated (default: all that the dataset supports)', parseTasks)
    .option(
      '--model <name>',
      'a name under MODELS_DIR or a folder; name:variant for a variant (default: MODEL)'
    )
    .option('--against <name>', 'a second model to compare with the first on the same items')
    .option(
      '--templates <template>',
      'a set (simple, imagenet-7, imagenet-80) or a sentence with {label}; may be given several times',
      collect
    )
    .option('--seed <number>', 'random seed (default: 0)', count(0, 2 ** 32 - 1))
    .option('--resamples <number>', 'bootstrap samples of the intervals (default: 1000)', count(10, 100_000))
    .option('--confidence <part>', 'confidence level of the intervals (default: 0.95)', parseConfidence)
    .addOption(
      new Option(
        '--duplicates <what>',
        'whether identical images and captions count as one (default: merge)'
      ).choices(['merge', 'keep'])
    )
    .option(
      '--m <number>',
      'links per node of the HNSW graph whose loss is measured (default: 16)',
      count(2, 200)
    )
    .option(
      '--ef-construction <number>',
      'candidates during its construction (default: 200)',
      count(1, 10_000)
    )
    .option('--ef-search <number>', 'candidates during a search (default: 128)', count(1, 10_000))
    .option(
      '--json [file]',
      'write the report as JSON; without a file name to standard output, in place of the table'
    )
    .option('--html <file>', 'write the report as one HTML file with plots and pictures')
    .option('--card <folder>', 'write the figures and pictures of a model card to a folder')
    .option('--save-embeddings <folder>', 'write all embeddings as .npy, with the names of their items')
    .option(
      '--cache <folder>',
      'cache embeddings in this folder, up to EVALUATION_CACHE_MIB for each model (default: ' +
        'evaluation-cache in DATA_DIR)'
    )
    .option('--no-cache', 'do not cache embeddings')
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
