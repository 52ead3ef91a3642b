import type { EmbeddedPairs, LoadedDataset, MatrixSource } from '../datasets/dataset.js'
import { DatasetError } from '../datasets/dataset-error.js'
import { imageDigests } from '../embedding/image-files.js'
import { openMatrix } from '../statistics/matrix.js'
import type { Pairs } from '../statistics/rank-pairs.js'
import type { Task } from './task.js'

export interface RetrievalInput {
  images: MatrixSource
  captions: MatrixSource
  /** The true pairs, each once. */
  pairs: Pairs
  /** 0 for rows that stand for nothing, since an earlier one stands for them; all are 1 without. */
  imageWeights?: Uint8Array
  captionWeights?: Uint8Array
  duplicates: { images: number; captions: number }
  /** What rows are called, where that is known. */
  imageIds?: string[]
  captionTexts?: string[]
}

/**
 * Embeds images and captions, and finds those that are there twice. Rejects with a DatasetError where there
 * is nothing to retrieve.
 */
export const prepareRetrieval: Task<RetrievalInput>['prepare'] = async (
  dataset,
  { embedder, options, ...context }
) => {
  if (dataset.kind === 'embeddings') return embeddedInput(dataset)
  const items = (dataset as Extract<LoadedDataset, { kind: 'captions' }>).items
  if (!items.some(({ captions }) => captions.length > 0))
    throw new DatasetError(`${dataset.name} has no captions to retrieve by.`)
  const images = items.map(({ image }) => image)
  const captionTexts = items.flatMap(({ captions }) => captions)
  const imageOf = items.flatMap(({ captions }, image) => captions.map(() => image))
  const rows = { images: await embedder.images(images), captions: await embedder.texts(captionTexts) }
  const digests = await imageDigests(images, context)
  const sameImage = firstOfEqual(digests)
  const sameCaption = firstOfEqual(captionTexts)
  const merges = options.duplicates === 'merge'
  const own = (same: Uint32Array) => Uint8Array.from(same, (first, i) => Number(first === i))
  return {
    ...rows,
    pairs: distinctPairs(
      imageOf.map((image, caption) => (merges ? [sameCaption[caption], sameImage[image]] : [caption, image]))
    ),
    ...(merges && { imageWeights: own(sameImage), captionWeights: own(sameCaption) }),
    duplicates: {
      images: images.length - new Set(digests).size,
      captions: captionTexts.length - new Set(captionTexts).size
    },
    imageIds: images.map(({ id }) => id),
    captionTexts
  }
}

function embeddedInput({ name, images, captions, imageOf }: EmbeddedPairs): RetrievalInput {
  const [imageRows, captionRows] = [images, captions].map((source) => {
    const matrix = openMatrix(source)
    matrix.close()
    return matrix
  })
  if (imageRows.dimension !== captionRows.dimension)
    throw new DatasetError(
      `${name} has images of ${imageRows.dimension} dimensions, and captions of ${captionRows.dimension}.`
    )
  if (!imageOf && captionRows.rows !== imageRows.rows)
    throw new DatasetError(
      `${name} has ${captionRows.rows} captions of ${imageRows.rows} images, and nothing says which is ` +
        'of which: image_of.npy does.'
    )
  const pairs = {
    captions: Uint32Array.from({ length: captionRows.rows }, (_, i) => i),
    images: imageOf ?? Uint32Array.from({ length: captionRows.rows }, (_, i) => i)
  }
  if (pairs.images.length !== captionRows.rows || pairs.images.some((image) => image >= imageRows.rows))
    throw new DatasetError(
      `${name}: image_of.npy has to have a row of images.npy for each of the ${captionRows.rows} captions.`
    )
  return { images, captions, pairs, duplicates: { images: 0, captions: 0 } }
}

/** Of each value, the place of the first that is equal. */
function firstOfEqual(values: string[]): Uint32Array {
  const places = new Map<string, number>()
  return Uint32Array.from(values, (value, i) => places.get(value) ?? (places.set(value, i), i))
}

function distinctPairs(pairs: number[][]): Pairs {
  const distinct = [...new Map(pairs.map((pair) => [pair.join(' '), pair])).values()]
  return {
    captions: Uint32Array.from(distinct, ([caption]) => caption),
    images: Uint32Array.from(distinct, ([, image]) => image)
  }
}
