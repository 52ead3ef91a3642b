import type { ZeroShotSettings } from '../../encoder/package-settings.js'
import { fill } from '../../encoder/zero-shot.js'
import type { LabelledItem } from '../datasets/dataset.js'
import { repeated, type Rows, rowsOf } from '../embedding/embedder.js'
import {
  type Blinded,
  type BlindRun,
  foldsByGroup,
  type HeldOut,
  heldOutScores,
  meanOfOthers,
  namedSwaps,
  swapImages,
  swappedRows
} from './blinded.js'
import { labelsAndTruth, type TaskContext, type TaskOptions } from './task.js'
import { topShare } from '../statistics/query-ranks.js'
import { classifyAll } from './classification.js'

export interface BlindClassesInput {
  kind: 'classes'
  images: Rows
  imageIds: string[]
  /** One row. */
  constant: Rows
  /** A row a label, in the model's own template. */
  prompts: Rows
  labels: string[]
  truth: Uint32Array
  settings: ZeroShotSettings
  /** What is written with the images, where each has something. */
  texts?: { rows: Rows; texts: string[] }
}

/** Most numbers that the classifier of texts is trained on in a pass: labels times texts. */
const MAX_TRAINED = 50_000

export async function prepareBlindClasses(
  items: LabelledItem[],
  { embedder }: TaskContext
): Promise<BlindClassesInput> {
  const { labels, truth } = labelsAndTruth(items)
  const images = items.map(({ image }) => image)
  const settings = embedder.model.zeroShot
  const texts = items.map(({ text }) => text ?? '')
  const hasTexts =
    texts.every((text) => text !== '') && labels.length > 1 && labels.length * texts.length <= MAX_TRAINED
  return {
    kind: 'classes',
    imageIds: images.map(({ id }) => id),
    images: await embedder.images(images),
    constant: await embedder.images(images.slice(0, 1), { kind: 'constant' }),
    prompts: await embedder.texts(labels.flatMap((label) => fill([settings.template], label))),
    labels,
    truth,
    settings,
    ...(hasTexts && { texts: { rows: await embedder.texts(texts), texts } })
  }
}

/**
 * Zero-shot classification with others' images, one constant image or the mean of all others; always the
 * commonest label; by the texts alone.
 */
export function blindClasses(input: BlindClassesInput, { seed }: TaskOptions): Blinded {
  const { images, imageIds, constant, labels, truth } = input
  const other = swapImages(images, seed)
  const weights = rowsOf(input.prompts)
  const top1 = (seen: Rows) => classifyAll({ ...input, images: seen }, weights).top1
  const counts = labels.map((_, label) => truth.reduce((sum, own) => sum + Number(own === label), 0))
  const most = counts.indexOf(counts.reduce((a, b) => Math.max(a, b)))
  const runs: BlindRun[] = [
    {
      name: 'swapped',
      what: "the image of another item in each one's place",
      values: { top1: top1(swappedRows(images, other)) }
    },
    {
      name: 'constant',
      what: 'one grey picture in the place of every image',
      values: { top1: top1(repeated(constant.values, truth.length)) }
    },
    {
      name: 'prior',
      what: 'the mean of all other images in the place of each',
      values: { top1: top1(meanOfOthers(images, imageIds)) }
    },
    {
      name: 'majority',
      what: `the answer '${labels[most]}' for every image`,
      values: { top1: Float64Array.from(truth, (label) => Number(label === most)) }
    }
  ]
  const byText = input.texts && textOnly(input, { ...input.texts, seed })
  if (byText)
    runs.push({
      name: 'text_only',
      what: 'a classifier of what is written with the images',
      values: { top1: byText.values },
      chance: counts[most] / truth.length
    })
  return {
    sighted: { top1: { values: top1(images), chance: 1 / labels.length } },
    runs,
    swapped: namedSwaps(imageIds, other),
    details: { template: input.settings.template, folds: byText?.folds },
    method: [
      `Zero-shot top-1 with the model's own template, again with another item's images in their place ` +
        '(swapped), with one grey picture for all (constant), with the mean of all other images (prior), ' +
        'and with the commonest label for all (majority).',
      ...(byText
        ? [
            'text_only: a logistic regression on the embeddings of what is written with the images, ' +
              "each item's label predicted by one that was trained without it or its text (cf. Poliak et " +
              'al. 2018); guessing is the commonest label.'
          ]
        : [])
    ]
  }
}

function textOnly(
  { labels, truth }: BlindClassesInput,
  { rows, texts, seed }: { rows: Rows; texts: string[]; seed: number }
): HeldOut | undefined {
  const folds = foldsByGroup(
    texts.map((text) => [text]),
    seed
  )
  if (!folds) return undefined
  const scores = heldOutScores(rows, truth, { classes: labels.length, folds })
  return {
    values: Float64Array.from(truth, (label, i) =>
      topShare(scores.subarray(i * labels.length, (i + 1) * labels.length), [label], 1)
    ),
    folds: [...folds]
  }
}
