import type { CaptionedItem } from '../datasets/dataset.js'
import { repeated, rowCount, type Rows } from '../embedding/embedder.js'
import { type Blinded, type BlindRun, meanOfOthers, namedSwaps, swapImages, swappedRows } from './blinded.js'
import { sampled } from '../statistics/statistics.js'
import type { TaskContext, TaskOptions } from './task.js'
import { topShare } from '../statistics/query-ranks.js'
import {
  type CaptionLinks,
  linkCaptions,
  mergeImages,
  recallChance,
  recallShares
} from './captioned-images.js'

export interface BlindCaptionsInput extends CaptionLinks {
  kind: 'captions'
  images: Rows
  captions: Rows
  imageIds: string[]
  /** How many images the dataset has. */
  of: number
  /** One row. */
  constant: Rows
}

const MAX_IMAGES = 1000
const KS = [1, 5]

export async function prepareBlindCaptions(
  items: CaptionedItem[],
  context: TaskContext
): Promise<BlindCaptionsInput> {
  const { embedder, options } = context
  const distinct = await mergeImages(items, context)
  const chosen = [...sampled(distinct.length, MAX_IMAGES, options.seed)].map((i) => distinct[i])
  const links = linkCaptions(chosen, options.duplicates)
  const images = chosen.map(({ image }) => image)
  return {
    kind: 'captions',
    ...links,
    imageIds: images.map(({ id }) => id),
    of: distinct.length,
    images: await embedder.images(images),
    captions: await embedder.texts(links.texts),
    constant: await embedder.images(images.slice(0, 1), { kind: 'constant' })
  }
}

/**
 * Retrieval both ways: with others' images, with one constant image, and by what is near to the mean of the
 * other side.
 */
export function blindCaptions(input: BlindCaptionsInput, { seed }: TaskOptions): Blinded {
  const { images, imageIds, captions, constant, imagesOf, textsOf } = input
  const other = swapImages(images, seed)
  const count = rowCount(images)
  const bothWays = (seen: Rows) =>
    named(
      recallShares(captions, seen, { right: imagesOf, ks: KS }),
      recallShares(seen, captions, { right: textsOf, ks: KS })
    )
  const sighted = bothWays(images)
  const chances = named(
    KS.map((k) => recallChance(images, imagesOf, k)),
    KS.map((k) => recallChance(captions, textsOf, k))
  )
  const clusters = Uint32Array.from(imagesOf, ([image]) => image)
  const prior = named(
    recallShares(meanOfOthers(captions, clusters), images, { right: imagesOf, ks: KS }),
    recallShares(meanOfOthers(images, imageIds), captions, { right: textsOf, ks: KS })
  )
  const runs: BlindRun[] = [
    {
      name: 'swapped',
      what: "the image of another item in each one's place",
      values: bothWays(swappedRows(images, other))
    },
    {
      name: 'constant',
      what: 'one grey picture in the place of every image',
      values: bothWays(repeated(constant.values, count))
    },
    { name: 'prior', what: 'the mean of all other queries in the place of each', values: prior },
    {
      name: 'frequency',
      what: 'the captions of most other images, for every image,',
      values: frequency(input)
    }
  ]
  return {
    sighted: Object.fromEntries(
      Object.entries(sighted).map(([measure, values]) => [
        measure,
        { values, chance: chances[measure], ...(measure.startsWith('text') && { clusters }) }
      ])
    ),
    runs,
    swapped: namedSwaps(imageIds, other),
    method: [
      `Recall both ways over ${count} ` +
        `images${count < input.of ? ` (of ${input.of}, drawn at random)` : ''}, again with another ` +
        `item's images in their place (swapped), with one grey picture for all (constant), with the mean ` +
        `of all other images' queries in the place of each (prior), and by how many other images a ` +
        'caption is true of (frequency).'
    ]
  }
}

/** Values of both directions by measure. */
function named<Value>(textToImage: Value[], imageToText: Value[]): Record<string, Value> {
  return Object.fromEntries([
    ...KS.map((k, i) => [`text_to_image_recall@${k}`, textToImage[i]]),
    ...KS.map((k, i) => [`image_to_text_recall@${k}`, imageToText[i]])
  ])
}

/** Image to text by how many of the other images have a caption. */
function frequency({ imagesOf, textsOf }: CaptionLinks): Record<string, Float64Array> {
  const counts = Float64Array.from(imagesOf, ({ length }) => length)
  const shares = KS.map(() => new Float64Array(textsOf.length))
  textsOf.forEach((own, image) => {
    const others = counts.slice()
    for (const text of own) others[text]--
    KS.forEach((k, i) => (shares[i][image] = own.length === 0 ? 0 : topShare(others, own, k)))
  })
  return Object.fromEntries(KS.map((k, i) => [`image_to_text_recall@${k}`, shares[i]]))
}
