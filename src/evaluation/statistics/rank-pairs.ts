import { InferenceSession, Tensor } from 'onnxruntime-node'
import { cosine } from '../../encoder/embedding.js'
import { usableCores } from '../../threading/cores.js'
import { type Block, blocksOf, type Candidates } from './candidates.js'

/** A graph of one Gemm, by scripts/dot-products.py. */
const GRAPH =
  'CAgSADqVAQoyCgdxdWVyaWVzCgpjYW5kaWRhdGVzEgZzY29yZXMiBEdlbW0qDQoGdHJhbnNCGAGgAQISBnNjb3Jlc1obCgdxdWVy' +
  'aWVzEhAKDggBEgoKAxIBbQoDEgFkWh4KCmNhbmRpZGF0ZXMSEAoOCAESCgoDEgFuCgMSAWRiGgoGc2NvcmVzEhAKDggBEgoKAxIB' +
  'bQoDEgFuQgQKABAN'

/**
 * The dot products of each query with each candidate, [m, n], in float32, valid until the next call; all are
 * row-major.
 */
type DotProducts = (queries: Float32Array, candidates: Float32Array) => Promise<Float32Array>

/**
 * ONNX Runtime as the matrix multiplication that it is anyway: some ten times as fast as a loop in
 * JavaScript. It runs in the thread that calls it, on all cores.
 */
export async function openDotProducts(
  dimension: number
): Promise<{ dotProducts: DotProducts; close(): Promise<void> }> {
  const session = await InferenceSession.create(Buffer.from(GRAPH, 'base64'), {
    intraOpNumThreads: usableCores(),
    logSeverityLevel: 3
  })
  // ONNX Runtime takes no shared memory.
  const tensor = (rows: Float32Array) =>
    new Tensor('float32', rows.buffer instanceof SharedArrayBuffer ? rows.slice() : rows, [
      rows.length / dimension,
      dimension
    ])
  // One for all calls: each a new one of 8 MiB would be memory that waits for garbage to be collected.
  let buffer = new Float32Array(0)
  return {
    dotProducts: async (queries, candidates) => {
      const [m, n] = [queries.length / dimension, candidates.length / dimension]
      if (buffer.length < m * n) buffer = new Float32Array(m * n)
      const scores = buffer.subarray(0, m * n)
      await session.run(
        { queries: tensor(queries), candidates: tensor(candidates) },
        { scores: new Tensor('float32', scores, [m, n]) }
      )
      return scores
    },
    close: () => session.release()
  }
}

/** Which captions are true of which images: pair i is of the row captions[i] and the row images[i]. */
export interface Pairs {
  captions: Uint32Array
  images: Uint32Array
}

/** How a pair stands among others, by pair. */
export interface Standing {
  /** Items that score higher. */
  ahead: Float64Array
  /** Items that score the same, the pair's own among them. */
  tied: Float64Array
}

export interface RankedPairs {
  /** The cosine of each pair, in float64. */
  scores: Float64Array
  /** Among all images, for its caption. */
  amongImages: Standing
  /** Among all captions, for its image. */
  amongCaptions: Standing
}

/**
 * Rows of a block: with them 16 MiB of scores are in memory at a time, and images are read once for each
 * block of captions.
 */
const CAPTIONS_AT_ONCE = 2048
const IMAGES_AT_ONCE = 2048
/**
 * Scores this near to that of a pair are computed again in float64. Products of float32 unit rows err by
 * less: 1e-6 was the most at 768 dimensions.
 */
const MARGIN = 1e-5

/**
 * How each pair stands among all images and among all captions, as float64 has it: each pair of rows is
 * scored once for both ways, block by block, so that memory grows with the rows and not with their product.
 */
export async function rankPairs(
  captions: Candidates,
  images: Candidates,
  pairs: Pairs
): Promise<RankedPairs> {
  const scores = scorePairs(captions, images, pairs)
  const amongImages = standing(pairs.captions.length)
  const amongCaptions = standing(pairs.captions.length)
  const ofCaption = groupBy(pairs.captions, captions)
  const ofImage = groupBy(pairs.images, images)
  const columns = new Map<number, Columns>()
  const { dotProducts, close } = await openDotProducts(images.matrix.dimension)
  try {
    for (const captionBlock of blocksOf(captions, CAPTIONS_AT_ONCE)) {
      for (const imageBlock of blocksOf(images, IMAGES_AT_ONCE)) {
        const products = await dotProducts(captionBlock.values, imageBlock.values)
        const block = { captionBlock, imageBlock, products, scores }
        countByCaption(block, { pairsOf: ofCaption, weight: images.weight, standing: amongImages })
        const [first] = imageBlock.rows
        if (!columns.has(first)) columns.set(first, columnsOf(imageBlock, ofImage, scores))
        countByImage(block, {
          columns: columns.get(first)!,
          weight: captions.weight,
          standing: amongCaptions
        })
      }
    }
  } finally {
    await close()
  }
  return { scores, amongImages, amongCaptions }
}

interface Counting {
  /** Of a row, the pairs that it is in. */
  pairsOf: Map<number, number[]>
  weight: Float64Array
  standing: Standing
}

interface ScoredBlock {
  captionBlock: Block
  imageBlock: Block
  products: Float32Array
  scores: Float64Array
}

function countByCaption(
  { captionBlock, imageBlock, products, scores }: ScoredBlock,
  { pairsOf, weight, standing: { ahead, tied } }: Counting
): void {
  const count = imageBlock.rows.length
  const weights = Float64Array.from(imageBlock.rows, (row) => weight[row])
  for (let i = 0; i < captionBlock.rows.length; i++) {
    const start = i * count
    for (const pair of pairsOf.get(captionBlock.rows[i]) ?? []) {
      const [low, high] = [scores[pair] - MARGIN, scores[pair] + MARGIN]
      let sum = 0
      for (let j = 0; j < count; j++) {
        const product = products[start + j]
        // Nearly all are behind: one comparison has to do for them.
        if (product < low) continue
        const exact = product > high ? product : exactly(captionBlock, i, { block: imageBlock, at: j })
        if (exact > scores[pair]) sum += weights[j]
        else if (exact === scores[pair]) tied[pair] += weights[j]
      }
      ahead[pair] += sum
    }
  }
}

/**
 * The pairs of the images of a block, as lists: the scores of one image lie far from each other, those of one
 * caption side by side.
 */
interface Columns {
  /** The column of the image. */
  places: Uint32Array
  pairs: Uint32Array
  /** What scores less is behind for certain. */
  lows: Float64Array
}

function columnsOf({ rows }: Block, pairsOf: Map<number, number[]>, scores: Float64Array): Columns {
  const columns = [...rows].flatMap((row, j) => (pairsOf.get(row) ?? []).map((pair) => ({ j, pair })))
  const pairs = Uint32Array.from(columns, ({ pair }) => pair)
  return {
    places: Uint32Array.from(columns, ({ j }) => j),
    pairs,
    lows: Float64Array.from(pairs, (pair) => scores[pair] - MARGIN)
  }
}

function countByImage(
  { captionBlock, imageBlock, products, scores }: ScoredBlock,
  {
    columns: { places, pairs, lows },
    weight,
    standing: { ahead, tied }
  }: Pick<Counting, 'weight' | 'standing'> & { columns: Columns }
): void {
  const count = imageBlock.rows.length
  const sums = new Float64Array(pairs.length)
  for (let i = 0; i < captionBlock.rows.length; i++) {
    const start = i * count
    const captionWeight = weight[captionBlock.rows[i]]
    for (let k = 0; k < places.length; k++) {
      const product = products[start + places[k]]
      if (product < lows[k]) continue
      if (product > lows[k] + 2 * MARGIN) {
        sums[k] += captionWeight
        continue
      }
      const exact = exactly(captionBlock, i, { block: imageBlock, at: places[k] })
      if (exact > scores[pairs[k]]) sums[k] += captionWeight
      else if (exact === scores[pairs[k]]) tied[pairs[k]] += captionWeight
    }
  }
  for (let k = 0; k < pairs.length; k++) ahead[pairs[k]] += sums[k]
}

function exactly(captions: Block, i: number, { block: images, at: j }: { block: Block; at: number }): number {
  const dimension = images.values.length / images.rows.length
  return cosine(
    captions.values.subarray(i * dimension, (i + 1) * dimension),
    images.values.subarray(j * dimension, (j + 1) * dimension)
  )
}

function scorePairs(captions: Candidates, images: Candidates, pairs: Pairs): Float64Array {
  const row = ({ matrix, first }: Candidates, at: number) => matrix.read(first[at], first[at] + 1)
  return Float64Array.from(pairs.captions, (caption, i) =>
    cosine(row(captions, caption), row(images, pairs.images[i]))
  )
}

/** By the first of equal rows. */
function groupBy(rows: Uint32Array, { first }: Candidates): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  rows.forEach((row, pair) => {
    const group = groups.get(first[row])
    if (group) group.push(pair)
    else groups.set(first[row], [pair])
  })
  return groups
}

function standing(pairs: number): Standing {
  return { ahead: new Float64Array(pairs), tied: new Float64Array(pairs) }
}

export interface ScoredRow {
  row: number
  score: number
}

/** Queries and rows that are scored at a time. */
const QUERIES_AT_ONCE = 512
const ROWS_AT_ONCE = 4096

/**
 * Of each query, given by its row, the k candidates that score highest (in float32), best first; of equal
 * rows the first stands for all.
 */
export async function bestMatches(
  queries: { candidates: Candidates; rows: number[] },
  candidates: Candidates,
  k: number
): Promise<ScoredRow[][]> {
  const { matrix, first } = queries.candidates
  const { dotProducts, close } = await openDotProducts(matrix.dimension)
  const best: ScoredRow[][] = queries.rows.map(() => [])
  try {
    for (let from = 0; from < queries.rows.length; from += QUERIES_AT_ONCE) {
      const chosen = queries.rows.slice(from, from + QUERIES_AT_ONCE)
      const values = new Float32Array(chosen.length * matrix.dimension)
      chosen.forEach((row, i) => values.set(matrix.read(first[row], first[row] + 1), i * matrix.dimension))
      for (const { rows, values: others } of blocksOf(candidates, ROWS_AT_ONCE)) {
        const scores = await dotProducts(values, others)
        chosen.forEach((_, i) =>
          rows.forEach(
            (row, j) =>
              candidates.weight[row] > 0 &&
              insert(best[from + i], { row, score: scores[i * rows.length + j] }, k)
          )
        )
      }
    }
  } finally {
    await close()
  }
  return best
}

function insert(best: ScoredRow[], scored: ScoredRow, k: number): void {
  if (best.length === k && scored.score <= best[k - 1].score) return
  let at = best.length
  while (at > 0 && best[at - 1].score < scored.score) at--
  best.splice(at, 0, scored)
  if (best.length > k) best.pop()
}
