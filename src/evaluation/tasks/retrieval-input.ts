import {
  DatasetError,
  type EmbeddedPairs,
  type LoadedDataset,
  type MatrixSource
} from '../datasets/dataset.js'
import { imageDigests } from '../embedding/image-files.js'
import type { Curve, Figure } from '../report.js'
import { openMatrix } from '../statistics/matrix.js'
import { averagePrecision, expectedRank, type QueryRank, recallAt } from '../statistics/query-ranks.js'
import type { Pairs } from '../statistics/rank-pairs.js'
import { bootstrapMeans, bootstrapMedian, type SamplingOptions } from '../statistics/statistics.js'
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

/** Retrieval from one modality to the other. */
export interface Way {
  name: 'text_to_image' | 'image_to_text'
  /** How many there are to find. */
  candidates: number
  /** By the query's row. */
  queries: Map<number, QueryRank>
  /** Of each query, how many candidates are right. */
  rightOf: Map<number, number>
  /** The queries of which number are drawn together. */
  clusterOf(query: number): number
  harmonic: Float64Array
}

const KS = [1, 5, 10]
/** As figures are reported. */
const ORDER = [...KS.map((k) => `recall@${k}`), 'median_rank', 'map']
const CURVE_KS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100]

interface Measured {
  figures: Record<string, Figure>
  perItem: Record<string, Float64Array>
  clusters: Record<string, Uint32Array>
  curve: Curve
}

/**
 * recall@1, @5 and @10, median rank and mean average precision, with the chance that guessing has, and
 * recall@k over k.
 */
export function measureWay(way: Way, sampling: SamplingOptions): Measured {
  const ranks = [...way.queries.values()]
  const options = { ...sampling, clusters: Uint32Array.from(way.queries.keys(), way.clusterOf) }
  const recalls = (ks: number[]) => ks.map((k) => Float64Array.from(ranks, (rank) => recallAt(k, rank)))
  const means: Record<string, Float64Array> = Object.fromEntries([
    ...recalls(KS).map((values, i) => [`recall@${KS[i]}`, values]),
    ['map', Float64Array.from(ranks, ({ averagePrecision }) => averagePrecision)]
  ])
  const curveKs = CURVE_KS.filter((k) => k <= way.candidates)
  const intervals = bootstrapMeans([...Object.values(means), ...recalls(curveKs)], options)
  const medianRank = Float64Array.from(ranks, expectedRank)
  const figures: Record<string, Figure> = Object.fromEntries(
    Object.keys(means).map((measure, i) => [
      measure,
      { ...intervals[i], items: ranks.length, chance: chanceOf(way, measure) }
    ])
  )
  const named = <T>(values: Record<string, T>) =>
    Object.fromEntries(ORDER.map((measure) => [`${way.name}.${measure}`, values[measure]]))
  return {
    figures: named({
      ...figures,
      median_rank: { ...bootstrapMedian(medianRank, options), items: ranks.length }
    }),
    perItem: named({ ...means, median_rank: medianRank }),
    clusters: named(Object.fromEntries(ORDER.map((measure) => [measure, options.clusters]))),
    curve: {
      name: way.name === 'text_to_image' ? 'text to image' : 'image to text',
      points: intervals
        .slice(-curveKs.length)
        .map(({ value, low, high }, i) => ({ x: curveKs[i], y: value, low, high }))
    }
  }
}

/**
 * The mean over the queries of what one has whose candidates all score the same; equal numbers of right ones
 * are computed once.
 */
function chanceOf({ rightOf, candidates, harmonic }: Way, measure: string): number {
  const guess = (tiedRight: number) =>
    measure === 'map'
      ? averagePrecision(
          Array.from({ length: tiedRight }, () => ({ score: 0, ahead: 0, tied: candidates })),
          harmonic
        )
      : recallAt(Number(measure.slice('recall@'.length)), {
          ahead: 0,
          tiedWrong: candidates - tiedRight,
          tiedRight
        })
  const known = new Map<number, number>()
  let sum = 0
  for (const tiedRight of rightOf.values()) {
    if (!known.has(tiedRight)) known.set(tiedRight, guess(tiedRight))
    sum += known.get(tiedRight)!
  }
  return sum / rightOf.size
}
