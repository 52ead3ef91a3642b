import type { LoadedDataset } from '../datasets/dataset.js'
import type { Rows } from '../embedding/embedder.js'
import { sampled } from '../statistics/sample.js'
import { random } from '../statistics/statistics.js'
import type { Task, TaskOptions } from './task.js'
import { mergeImages } from './captioned-images.js'

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
