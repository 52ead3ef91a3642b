import { takeRows } from '../../classifiers/linear-classifier.js'
import type { ChoiceItem } from '../datasets/dataset.js'
import type { Rows } from '../embedding/embedder.js'
import { meanOfOthers } from '../statistics/mean-of-others.js'
import { repeated } from '../embedding/rows.js'
import { sampled } from '../statistics/sample.js'
import type { TaskOptions } from './task.js'
import { topShare } from '../statistics/top-share.js'
import type { BlindContext } from './blind.js'
import type { Blinded, BlindRun } from './blinded.js'
import { embedChoices } from './compositionality.js'
import { hardNegativeChance, hardNegativeScores, type Choices } from './hard-negatives.js'
import { foldsByGroup, heldOutScores, type HeldOut } from './held-out-scores.js'
import { namedSwaps, swapImages, swappedRows } from './swap-images.js'

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
  { embedder }: BlindContext
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
