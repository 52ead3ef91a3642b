import { takeRows } from '../../classifiers/linear-classifier.js'
import type { ChoiceItem, PairItem } from '../datasets/dataset.js'
import { repeated, rowCount, type Rows } from '../embedding/embedder.js'
import { topShare } from '../statistics/query-ranks.js'
import { sampled } from '../statistics/statistics.js'
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
import {
  type Choices,
  embedChoices,
  embedPairs,
  hardNegativeChance,
  hardNegativeScores,
  WINOGROUND_CHANCE,
  type WinogroundScore,
  winogroundScores
} from './compositionality.js'
import type { TaskContext, TaskOptions } from './task.js'

export interface BlindChoicesInput extends Choices {
  kind: 'choices'
  images: Rows
  imageIds: string[]
  /** One row. */
  constant: Rows
  /** Of each item, what it shares with those that it must be held out with. */
  keys: string[][]
}

/** Items that the classifier of captions is trained on. */
const MAX_ITEMS = 2000

export async function prepareBlindChoices(
  items: ChoiceItem[],
  { embedder }: TaskContext
): Promise<BlindChoicesInput> {
  const constant = await embedder.images([items[0].image], { kind: 'constant' })
  return {
    kind: 'choices',
    imageIds: items.map(({ image }) => image.id),
    ...(await embedChoices(items, embedder)),
    constant,
    keys: captionsTrueSomewhere(items)
  }
}

/**
 * Of each item, its true caption and those of its false ones that are true in another item. Held out apart
 * from each other these would be known already or learnt the wrong way round; a caption that is always false
 * is what a classifier is to find.
 */
function captionsTrueSomewhere(items: ChoiceItem[]): string[][] {
  const isTrue = new Set(items.map(({ caption }) => caption))
  return items.map(({ caption, negatives }) => [caption, ...negatives.filter((text) => isTrue.has(text))])
}

/**
 * The choice of captions with others' images, one constant image or the mean of all others; and by the
 * captions alone.
 */
export function blindChoices(input: BlindChoicesInput, { seed }: TaskOptions): Blinded {
  const { images, imageIds, constant, starts } = input
  const other = swapImages(images, seed)
  const items = starts.length - 1
  const accuracy = (seen: Rows) => ({ accuracy: hardNegativeScores(seen, input) })
  const runs: BlindRun[] = [
    {
      name: 'swapped',
      what: "the image of another item in each one's place",
      values: accuracy(swappedRows(images, other))
    },
    {
      name: 'constant',
      what: 'one grey picture in the place of every image',
      values: accuracy(repeated(constant.values, items))
    },
    {
      name: 'prior',
      what: 'the mean of all other images in the place of each',
      values: accuracy(meanOfOthers(images, imageIds))
    }
  ]
  const byCaption = captionOnly(input, seed)
  if (byCaption)
    runs.push({
      name: 'caption_only',
      what: 'a classifier of the captions alone',
      values: { accuracy: byCaption.values }
    })
  const judged = byCaption?.items.length ?? 0
  const sample = judged < items ? `; on ${judged} of ${items} items, drawn at random` : ''
  return {
    sighted: { accuracy: { values: hardNegativeScores(images, input), chance: hardNegativeChance(input) } },
    runs,
    swapped: namedSwaps(imageIds, other),
    details: { items: byCaption?.items, folds: byCaption?.folds },
    method: [
      "Accuracy against hard negatives, again with another item's image in each one's place (swapped), " +
        'with one grey picture for all (constant), and with the mean of all other images (prior).',
      byCaption
        ? 'caption_only: a logistic regression tells true captions from false by their embeddings ' +
          'alone, each item by one that was trained without it or its caption (Poliak et al. ' +
          `2018)${sample}.`
        : 'A classifier of the captions alone was not trained: items that share captions leave too few ' +
          'groups to hold out.'
    ]
  }
}

function captionOnly(
  { captions, starts, keys }: BlindChoicesInput,
  seed: number
): (HeldOut & { items: number[] }) | undefined {
  const chosen = [...sampled(keys.length, MAX_ITEMS, seed)]
  const folds = foldsByGroup(
    chosen.map((item) => keys[item]),
    seed
  )
  if (!folds) return undefined
  const places = chosen.map((item) =>
    Array.from({ length: starts[item + 1] - starts[item] }, (_, i) => starts[item] + i)
  )
  const rows = takeRows(captions, places.flat())
  const labels = Uint32Array.from(places.flatMap((own) => own.map((_, i) => Number(i === 0))))
  const scores = heldOutScores({ dimension: rows.dimension, values: rows.values as Float32Array }, labels, {
    classes: 2,
    folds: Uint32Array.from(places.flatMap((own, i) => own.map(() => folds[i])))
  })
  let start = 0
  const values = Float64Array.from(places, ({ length }) => {
    const own = Array.from({ length }, (_, i) => scores[2 * (start + i) + 1])
    start += length
    return topShare(own, [0], 1)
  })
  return { values, items: chosen, folds: [...folds] }
}

export interface BlindPairsInput {
  kind: 'pairs'
  images: Rows
  captions: Rows
  /** Of the first image of each pair. */
  imageIds: string[]
  /** One row. */
  constant: Rows
}

export async function prepareBlindPairs(
  items: PairItem[],
  { embedder }: TaskContext
): Promise<BlindPairsInput> {
  return {
    kind: 'pairs',
    imageIds: items.map(({ images: [{ id }] }) => id),
    ...(await embedPairs(items, embedder)),
    constant: await embedder.images(items[0].images.slice(0, 1), { kind: 'constant' })
  }
}

/** Winoground's scores with others' pairs of images, one constant image, or the mean of all others. */
export function blindPairs(
  { images, imageIds, captions, constant }: BlindPairsInput,
  { seed }: TaskOptions
): Blinded {
  const count = rowCount(images)
  const other = swapImages(images, seed, 2)
  const sighted = winogroundScores(images, captions)
  const names = Object.keys(WINOGROUND_CHANCE) as WinogroundScore[]
  return {
    sighted: Object.fromEntries(
      names.map((name) => [name, { values: sighted[name], chance: WINOGROUND_CHANCE[name] }])
    ),
    runs: [
      {
        name: 'swapped',
        what: "the images of another pair in each one's place",
        values: winogroundScores(swappedRows(images, other, 2), captions)
      },
      {
        name: 'constant',
        what: 'one grey picture in the place of every image',
        values: winogroundScores(repeated(constant.values, count), captions)
      },
      {
        name: 'prior',
        what: 'the mean of the images of all other pairs in the place of each',
        values: winogroundScores(
          meanOfOthers(
            images,
            Uint32Array.from({ length: count }, (_, i) => i >> 1)
          ),
          captions
        )
      }
    ],
    swapped: namedSwaps(imageIds, other),
    method: [
      "Winoground's scores, again with another pair's images in their place (swapped), with one grey " +
        "picture for all (constant), and with the mean of all other pairs' images (prior). A pair asks " +
        'for both captions in turn, so that one picture for all, which prefers one of them, is never ' +
        'right.'
    ]
  }
}
