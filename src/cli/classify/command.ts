import { Command } from 'commander'
import { collect, count } from '../counts.js'
import { withService } from '../service.js'
import { withStop } from '../with-stop.js'
import type { ClassifyOptions } from './run.js'

const HELP = `
A template has {label} where the label goes, or is the name of a set: simple, imagenet-7,
imagenet-80. --json prints one object per line as results arrive: {"file", "labels": [{"label", "score",
"similarity"}]}, or {"file", "error": {"code", "message"}}. A trained classifier (PUT
/v1/classifiers/{name}) uses the labels that it was trained with, and prints no similarity.

Examples:
  $ semblance classify photo.jpg --labels cat,dog,bird
  $ semblance classify ~/Pictures --labels-file labels.txt --template imagenet-7 --top 1
  $ semblance classify 'holiday/*.jpg' --labels "a beach,a lake" --template "a photo of {label}" --json
  $ semblance classify photo.jpg --labels indoors,people --multi-label   each label independently
  $ semblance classify photo.jpg --classifier clothes                    with a trained classifier`

/** `semblance classify`. */
export function classifyCommand(): Command {
  return withService(new Command('classify'))
    .description('Classify images with labels of your own choice; the model needs no training.')
    .argument('<images...>', 'images, folders, or wildcards in quotes')
    .option(
      '-l, --labels <labels>',
      'labels, comma-separated; may be given several times',
      (text: string, before: string[] = []) => [...before, ...text.split(',')]
    )
    .option('--labels-file <file>', 'file of labels, one per line')
    .option(
      '-t, --template <template>',
      "a sentence with {label}, or the name of a set; several are averaged (default: the model's own)",
      collect
    )
    .option('--multi-label', 'score each label independently, so that several or none may apply')
    .option('-C, --classifier <name>', 'a trained classifier of the service, in place of labels')
    .option('--top <number>', 'number of labels to show for each image', count(1, 4096), 3)
    .option('--model <name>', "the model (default: the service's first model)")
    .option('--json', 'print one JSON object per line')
    .addHelpText('after', HELP)
    .action(async (images: string[], options: ClassifyOptions) => {
      const { planClassify, runClassify } = await import('./run.js')
      const plan = await planClassify(images, options)
      await withStop(options, (service, signal) => runClassify(service, plan, { ...options, signal }))
    })
}
