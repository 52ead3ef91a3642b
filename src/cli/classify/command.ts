import { Command } from 'commander'
import { collect, count } from '../counts.js'
import { withService } from '../service.js'
import { withStop } from '../with-stop.js'
import type { ClassifyOptions } from './run.js'

const HELP = `
Templates have {label} where the label goes, or are the name of a set: simple, imagenet-7,
imagenet-80. --json prints an object a line, as they come: {"file", "labels": [{"label", "score",
"similarity"}]}, or {"file", "error": {"code", "message"}}. With a trained classifier (PUT
/v1/classifiers/{name}) its labels are those that it was trained with, and there is no similarity.

Examples:
  $ semblance classify photo.jpg --labels cat,dog,bird
  $ semblance classify ~/Pictures --labels-file labels.txt --template imagenet-7 --top 1
  $ semblance classify 'holiday/*.jpg' --labels "a beach,a lake" --template "a photo of {label}" --json
  $ semblance classify photo.jpg --labels indoors,people --multi-label   each label on its own
  $ semblance classify photo.jpg --classifier clothes                    with a trained classifier`

/** `semblance classify`. */
export function classifyCommand(): Command {
  return withService(new Command('classify'))
    .description('Say which of your labels fit pictures best; the model was never trained on them.')
    .argument('<images...>', 'images, folders, or wildcards in quotes')
    .option(
      '-l, --labels <labels>',
      'labels, comma-separated; may be given several times',
      (text: string, before: string[] = []) => [...before, ...text.split(',')]
    )
    .option('--labels-file <file>', 'labels, one a line')
    .option(
      '-t, --template <template>',
      "a sentence with {label}, or the name of a set; several are averaged (default: the model's own)",
      collect
    )
    .option('--multi-label', 'score each label on its own, so that several may hold, or none')
    .option('-C, --classifier <name>', 'a trained classifier of the service, in place of labels')
    .option('--top <number>', 'labels that are shown of each', count(1, 4096), 3)
    .option('--model <name>', 'the model (default: the first of the service)')
    .option('--json', 'print an object a line')
    .addHelpText('after', HELP)
    .action(async (images: string[], options: ClassifyOptions) => {
      const { planClassify, runClassify } = await import('./run.js')
      const plan = await planClassify(images, options)
      await withStop(options, (service, signal) => runClassify(service, plan, { ...options, signal }))
    })
}
