import {
  type Columns,
  distributionOf,
  jointScores,
  ranksOf,
  reciprocalRankFusion,
  standardScores,
  weightedMean
} from '../../collections/fusion.js'
import { cosine } from '../../encoder/embedding.js'
import type { LoadedDataset } from '../datasets/dataset.js'
import { rowAt, rowCount, type Rows } from '../embedding/embedder.js'
import { random, sampled } from '../statistics/statistics.js'
import { mergeImages } from './captioned-images.js'
import type { Task, TaskOptions } from './task.js'

/**
 * Records of an image and its first caption, and the other captions as queries for them; images of the same
 * bytes are one record unless duplicates are kept.
 */
export interface FusionInput {
  ids: string[]
  /** Records that there are; some are left out where they are very many. */
  of: number
  /** Images that are in another one's record, whose bytes are the same. */
  merged: number
  images: Rows
  texts: Rows
  queries: Rows
  /** Of each query the record that it is about. */
  targets: Uint32Array
  /** Queries that there are; some are left out where there are many records. */
  available: number
}

/** Which records hold an image, and which a text: 1 or 0. */
export interface Held {
  image: Uint8Array
  text: Uint8Array
}

/**
 * Pairs of a query and a record that are compared, at most; each by every method and weight, which takes
 * about 10 us.
 */
const MAX_PAIRS = 5e6
const LEAST_QUERIES = 100
/** Of more records so many are drawn: with fewer queries the figures would say nothing. */
const MAX_RECORDS = MAX_PAIRS / LEAST_QUERIES

/** Embeds the records and the queries. A caption that says what its record's text says is no query. */
export const prepareFusion: Task<FusionInput>['prepare'] = async (dataset, context) => {
  const { embedder, options } = context
  const captioned = (dataset as Extract<LoadedDataset, { kind: 'captions' }>).items.filter(
    ({ captions }) => captions.length > 0
  )
  const distinct = await mergeImages(captioned, context)
  const items = Array.from(sampled(distinct.length, MAX_RECORDS, options.seed), (i) => distinct[i])
  const asked = items.flatMap(({ captions: [first, ...others] }, record) =>
    [...new Set(others)].filter((caption) => caption !== first).map((text) => ({ text, record }))
  )
  if (asked.length === 0) return NOTHING_ASKED
  const chosen = [...sampled(asked.length, Math.floor(MAX_PAIRS / items.length), options.seed)].map(
    (i) => asked[i]
  )
  return {
    ids: items.map(({ image }) => image.id),
    of: distinct.length,
    merged: captioned.length - distinct.length,
    images: await embedder.images(items.map(({ image }) => image)),
    texts: await embedder.texts(items.map(({ captions }) => captions[0])),
    queries: await embedder.texts(chosen.map(({ text }) => text)),
    targets: Uint32Array.from(chosen, ({ record }) => record),
    available: asked.length
  }
}

const NO_ROWS: Rows = { dimension: 1, values: new Float32Array() }
const NOTHING_ASKED: FusionInput = {
  ids: [],
  of: 0,
  merged: 0,
  images: NO_ROWS,
  texts: NO_ROWS,
  queries: NO_ROWS,
  targets: new Uint32Array(),
  available: 0
}

/**
 * A part of the records, drawn at random, loses one of its modalities: image and text by turns. What a
 * smaller part loses a larger one does too.
 */
export function heldWhere(part: number, { ids, seed }: { ids: string[] } & Pick<TaskOptions, 'seed'>): Held {
  const [image, text] = [new Uint8Array(ids.length).fill(1), new Uint8Array(ids.length).fill(1)]
  const order = random(seed).shuffle(Uint32Array.from(ids, (_, i) => i))
  order
    .subarray(0, Math.round(part * ids.length))
    .forEach((record, i) => ((i % 2 === 0 ? text : image)[record] = 0))
  return { image, text }
}

/**
 * A way to find records: one modality alone, or a fusion with a weight of the image; the text has the rest of
 * 1.
 */
export interface FusionRun {
  name: FusionName
  imageWeight: number
}

export const FUSED = ['weighted', 'weighted z-score', 'rrf', 'joint'] as const
export const FUSION_NAMES = ['image', 'text', ...FUSED] as const
export type FusionName = (typeof FUSION_NAMES)[number]

/**
 * Of each query, where its record came: records ahead of it and those that tie; NaN where it was no match.
 */
export interface Standings {
  ahead: Float64Array
  tied: Float64Array
}

/** Scores that differ by less are equal: they are sums of the same parts in another order. */
const EQUAL = 1e-12

/**
 * Where each query's record comes, in each run, for each of some ways in which records lack modalities:
 * [held][run].
 */
export function standings(input: FusionInput, runs: FusionRun[], helds: Held[]): Standings[][] {
  const queries = rowCount(input.queries)
  const inner = Float64Array.from(input.ids, (_, i) => cosine(rowAt(input.images, i), rowAt(input.texts, i)))
  const found = helds.map(() =>
    runs.map(() => ({ ahead: new Float64Array(queries), tied: new Float64Array(queries) }))
  )
  for (let query = 0; query < queries; query++) {
    const vector = rowAt(input.queries, query)
    const all = { image: cosinesWith(vector, input.images), text: cosinesWith(vector, input.texts) }
    helds.forEach((held, h) => {
      const scoresOf = fusions({ image: only(all.image, held.image), text: only(all.text, held.text) }, inner)
      runs.forEach((run, r) => {
        const { ahead, tied } = standing(scoresOf(run), input.targets[query])
        found[h][r].ahead[query] = ahead
        found[h][r].tied[query] = tied
      })
    })
  }
  return found
}

/** The same functions as those of a search, over all records. */
function fusions(cosines: Columns, inner: Float64Array): (run: FusionRun) => Float64Array {
  const both = (column: (cosines: Float64Array) => Float64Array) => ({
    image: column(cosines.image),
    text: column(cosines.text)
  })
  const ranks = both(ranksOf)
  const standard = both((column) => standardScores(column, distributionOf(column)))
  return ({ name, imageWeight }) => {
    const weights = { image: imageWeight, text: 1 - imageWeight }
    switch (name) {
      case 'image':
      case 'text':
        return cosines[name]
      case 'weighted':
        return weightedMean(cosines, weights)
      case 'weighted z-score':
        return weightedMean(standard, weights)
      case 'rrf':
        return reciprocalRankFusion({ cosines, ranks }, weights)
      case 'joint':
        return jointScores({ cosines, inner }, weights)
    }
  }
}

function cosinesWith(query: Float32Array, rows: FusionInput['images']): Float64Array {
  return Float64Array.from({ length: rowCount(rows) }, (_, i) => cosine(query, rowAt(rows, i)))
}

function only(cosines: Float64Array, held: Uint8Array): Float64Array {
  return cosines.map((value, i) => (held[i] ? value : NaN))
}

function standing(scores: Float64Array, target: number): { ahead: number; tied: number } {
  const own = scores[target]
  if (Number.isNaN(own)) return { ahead: NaN, tied: NaN }
  let [ahead, tied] = [0, -1]
  for (const score of scores) {
    if (score > own + EQUAL) ahead++
    else if (score >= own - EQUAL) tied++
  }
  return { ahead, tied }
}
