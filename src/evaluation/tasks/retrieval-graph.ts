import { HnswGraph } from '../../collections/hnsw-graph.js'
import { cosine } from '../../encoder/embedding.js'
import { bestMatches, type ScoredRow } from '../statistics/best-matches.js'
import type { Gallery } from '../run/gallery.js'
import { recallAt } from '../statistics/query-ranks.js'
import type { Figure, Flag } from '../report.js'
import { sampled } from '../statistics/sample.js'
import { figure } from '../statistics/statistics.js'
import type { TaskOptions } from './task.js'
import type { RetrievalInput } from './retrieval-input.js'
import type { Way } from './retrieval-way.js'

/** A graph of more takes minutes to build. */
const MAX_ITEMS = 20_000
const MAX_QUERIES = 2000
const KS = [1, 5, 10]
const OVERLAP = 10
/** What rounding to float32 may take from a score. */
const ROUNDING = 1e-6

interface Galleries {
  images: Gallery
  captions: Gallery
}

/**
 * What is found through HNSW graphs of the items, as a collection searches them: its recall beside the exact
 * one of the same queries, and how much it has of the exact answer.
 */
export async function measureGraph(
  input: RetrievalInput,
  { galleries, ways }: { galleries: Galleries; ways: Way[] },
  options: TaskOptions
): Promise<{ figures: Record<string, Figure>; flags: Flag[]; method: string[] }> {
  const sizes = [galleries.images.matrix.rows, galleries.captions.matrix.rows]
  if (Math.max(...sizes) > MAX_ITEMS) {
    return {
      figures: {},
      flags: [
        {
          level: 'note',
          code: 'HNSW_LEFT_OUT',
          message: `What the HNSW graph loses was not measured: there are more than ${MAX_ITEMS} items.`
        }
      ],
      method: []
    }
  }
  const { pairs, imageWeights, captionWeights } = input
  const figures = {}
  for (const way of ways) {
    const oneWay =
      way.name === 'text_to_image'
        ? {
            way,
            queries: galleries.captions,
            gallery: galleries.images,
            weights: imageWeights,
            right: group(pairs.captions, pairs.images)
          }
        : {
            way,
            queries: galleries.images,
            gallery: galleries.captions,
            weights: captionWeights,
            right: group(pairs.images, pairs.captions)
          }
    Object.assign(figures, await measureOneWay(oneWay, options))
  }
  const { m, efConstruction, efSearch } = options.hnsw
  const asked = ways
    .map(({ queries }) => `${Math.min(queries.size, MAX_QUERIES)} of ${queries.size}`)
    .join(' and ')
  const method =
    `What has _hnsw in its name was found through HNSW graphs (m ${m}, ef_construction ` +
    `${efConstruction}, ef_search ${efSearch}) of ${sizes[0]} images and ${sizes[1]} ` +
    `captions; what has _exact is the exact recall of the same queries, ${asked} captions ` +
    'and ' +
    `images${ways.some(({ queries }) => queries.size > MAX_QUERIES) ? ' drawn at random' : ''}, ` +
    `and the difference of the two is what the graph loses. overlap@${OVERLAP} is the ` +
    `share of the exact first ${OVERLAP} that it finds.`
  return { figures, flags: [], method: [method] }
}

interface OneWay {
  way: Way
  queries: Gallery
  gallery: Gallery
  weights?: Uint8Array
  right: Map<number, Set<number>>
}

async function measureOneWay(
  { way, queries, gallery, weights, right }: OneWay,
  options: TaskOptions
): Promise<Record<string, Figure>> {
  const { matrix } = gallery
  const graph = HnswGraph.empty(matrix.dimension, options.hnsw)
  for (let row = 0; row < matrix.rows; row++)
    if (weights?.[row] !== 0) graph.add(row, matrix.read(row, row + 1))
  const all = [...right.keys()]
  const chosen = [...sampled(all.length, MAX_QUERIES, options.seed)].map((i) => all[i])
  const exact = await bestMatches({ gallery: queries, rows: chosen }, gallery, OVERLAP)
  const values: Record<string, Float64Array> = Object.fromEntries(
    [...KS.map((k) => `hnsw.recall@${k}`), `hnsw.overlap@${OVERLAP}`].map((measure) => [
      measure,
      new Float64Array(chosen.length)
    ])
  )
  for (const k of KS)
    values[`exact.recall@${k}`] = Float64Array.from(chosen, (row) => recallAt(k, way.queries.get(row)!))
  chosen.forEach((row, i) => {
    const query = queries.matrix.read(row, row + 1).slice()
    const found = graph
      .search(query, { k: OVERLAP, ef: options.hnsw.efSearch })
      .map((label) => ({ label, score: cosine(query, matrix.read(label, label + 1)) }))
      .sort((a, b) => b.score - a.score)
    for (const k of KS)
      values[`hnsw.recall@${k}`][i] = Number(
        found.slice(0, k).some(({ label }) => right.get(row)!.has(label))
      )
    values[`hnsw.overlap@${OVERLAP}`][i] =
      found.filter(({ score }) => score >= lastOf(exact[i], gallery) - ROUNDING).length /
      Math.min(OVERLAP, graph.count)
  })
  const clusters = Uint32Array.from(chosen, way.clusterOf)
  return Object.fromEntries(
    Object.entries(values).map(([measure, each]) => [
      `${way.name}_${measure}`,
      figure(each, { ...options, clusters })
    ])
  )
}

/** The score of the tenth of the items, of which a row may stand for several. */
function lastOf(best: ScoredRow[], { weight }: Gallery): number {
  let seen = 0
  return (best.find(({ row }) => (seen += weight[row]) >= OVERLAP) ?? best.at(-1)!).score
}

function group(keys: Uint32Array, values: Uint32Array): Map<number, Set<number>> {
  const groups = new Map<number, Set<number>>()
  keys.forEach((key, i) => groups.set(key, (groups.get(key) ?? new Set()).add(values[i])))
  return groups
}
