import type { PairItem } from '../datasets/dataset.js'
import type { Rows } from '../embedding/embedder.js'
import { meanOfOthers } from '../statistics/mean-of-others.js'
import { repeated, rowCount } from '../embedding/rows.js'
import type { TaskOptions } from './task.js'
import type { BlindContext } from './blind.js'
import type { Blinded } from './blinded.js'
import { embedPairs } from './compositionality.js'
import { namedSwaps, swapImages, swappedRows } from './swap-images.js'
import { WINOGROUND_CHANCE, winogroundScores, type WinogroundScore } from './winoground.js'

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
  { embedder }: BlindContext
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
