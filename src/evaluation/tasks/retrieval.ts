import { HnswGraph } from '../../collections/hnsw-graph.js'
import { cosine } from '../../encoder/embedding.js'
import type { Figure, Flag, Shown, TaskReport, WorstQuery } from '../report.js'
import { type Candidates, openCandidates } from '../statistics/candidates.js'
import { openMatrices } from '../statistics/matrix.js'
import { expectedRank, harmonicNumbers, rankQueries, recallAt } from '../statistics/query-ranks.js'
import { bestMatches, rankPairs, type ScoredRow } from '../statistics/rank-pairs.js'
import { figure, sampled } from '../statistics/statistics.js'
import { measureWay, prepareRetrieval, type RetrievalInput, type Way } from './retrieval-input.js'
import type { Task, TaskOptions } from './task.js'

/**
 * Text-to-image and image-to-text retrieval among all items of a dataset: recall, median rank and mean
 * average precision, exact, and beside it what the HNSW graph loses of it.
 */
export const retrievalTask: Task<RetrievalInput> = {
  name: 'retrieval',
  kinds: ['captions', 'embeddings'],
  prepare: prepareRetrieval,
  measure: async (input, options) => {
    const [images, captions] = openMatrices(input.images, input.captions)
    try {
      const { pairs, imageWeights, captionWeights } = input
      const candidates = {
        images: openCandidates(images, imageWeights),
        captions: openCandidates(captions, captionWeights)
      }
      const ranked = await rankPairs(candidates.captions, candidates.images, pairs)
      const counts = { images: total(candidates.images.weight), captions: total(candidates.captions.weight) }
      const harmonic = harmonicNumbers(Math.max(counts.images, counts.captions))
      const ways: Way[] = [
        {
          name: 'text_to_image',
          candidates: counts.images,
          clusterOf: imageOfCaption(input),
          queries: rankQueries(pairs.captions, {
            scores: ranked.scores,
            standing: ranked.amongImages,
            harmonic
          }),
          rightOf: countBy(pairs.captions),
          harmonic
        },
        {
          name: 'image_to_text',
          candidates: counts.captions,
          clusterOf: (image) => image,
          queries: rankQueries(pairs.images, {
            scores: ranked.scores,
            standing: ranked.amongCaptions,
            harmonic
          }),
          rightOf: countBy(pairs.images),
          harmonic
        }
      ]
      const measured = ways.map((way) => measureWay(way, options))
      const graph = options.hasOwnGraph
        ? { figures: {}, flags: [], method: [] }
        : await measureGraph(input, { candidates, ways }, options)
      // In turn: what is read of a matrix holds until its next read.
      const worst: TaskReport['worst'] = []
      for (const way of ways) worst.push(await worstOfWay(way, { input, candidates }))
      const report: TaskReport = {
        task: 'retrieval',
        figures: Object.assign({}, ...measured.map(({ figures }) => figures), graph.figures),
        plots: [
          {
            title: 'Recall by the number of results looked at',
            x: 'results looked at (k)',
            y: 'recall@k',
            scale: 'log',
            curves: measured.map(({ curve }) => curve)
          }
        ],
        worst,
        flags: graph.flags,
        method: [...method(input, options, counts), ...graph.method]
      }
      return {
        report,
        perItem: Object.assign({}, ...measured.map(({ perItem }) => perItem)),
        clusters: Object.assign({}, ...measured.map(({ clusters }) => clusters))
      }
    } finally {
      images.close()
      captions.close()
    }
  }
}

function method(
  { duplicates, pairs }: RetrievalInput,
  options: TaskOptions,
  counts: { images: number; captions: number }
): string[] {
  const merged = duplicates.images + duplicates.captions > 0 && options.duplicates === 'merge'
  return [
    `${pairs.captions.length} true pairs of ${counts.captions} captions and ${counts.images} images; ` +
      'each caption is a query among all images, each image one among all captions.',
    'recall@k: a query counts if anything that is right is among its first k results (the definition ' +
      'of CLIP_benchmark). The rank is that of the best of what is right. mAP is over all that is right.',
    'Scores are cosines in float64; results that score the same are in random order, and measures are ' +
      'expectations over it (McSherry and Najork 2008).',
    merged
      ? `Images of the same bytes (${duplicates.images}) and captions of the same words ` +
        `(${duplicates.captions}) are one, and right for all that any of them is.`
      : 'Each image and each caption stands for itself, those of the same bytes or words too.',
    `Intervals are percentile bootstrap of ${options.resamples} samples; captions of one image are ` +
      'drawn together.'
  ]
}

/** Of each caption, the first of the images that it is true of. */
function imageOfCaption({ pairs }: RetrievalInput): (caption: number) => number {
  const images = new Map<number, number>()
  pairs.captions.forEach((caption, i) => images.has(caption) || images.set(caption, pairs.images[i]))
  return (caption) => images.get(caption)!
}

function countBy(keys: Uint32Array): Map<number, number> {
  const counts = new Map<number, number>()
  keys.forEach((key) => counts.set(key, (counts.get(key) ?? 0) + 1))
  return counts
}

function total(weights: Float64Array): number {
  return weights.reduce((sum, weight) => sum + weight, 0)
}

/** A graph of more takes minutes to build. */
const MAX_ITEMS = 20_000
const MAX_QUERIES = 2000
const KS = [1, 5, 10]
const OVERLAP = 10
/** What rounding to float32 may take from a score. */
const ROUNDING = 1e-6

interface RetrievalCandidates {
  images: Candidates
  captions: Candidates
}

/**
 * What is found through HNSW graphs of the items, as a collection searches them: its recall beside the exact
 * one of the same queries, and how much it has of the exact answer.
 */
async function measureGraph(
  input: RetrievalInput,
  { candidates, ways }: { candidates: RetrievalCandidates; ways: Way[] },
  options: TaskOptions
): Promise<{ figures: Record<string, Figure>; flags: Flag[]; method: string[] }> {
  const sizes = [candidates.images.matrix.rows, candidates.captions.matrix.rows]
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
            queries: candidates.captions,
            candidates: candidates.images,
            weights: imageWeights,
            right: group(pairs.captions, pairs.images)
          }
        : {
            way,
            queries: candidates.images,
            candidates: candidates.captions,
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
  queries: Candidates
  candidates: Candidates
  weights?: Uint8Array
  right: Map<number, Set<number>>
}

async function measureOneWay(
  { way, queries, candidates, weights, right }: OneWay,
  options: TaskOptions
): Promise<Record<string, Figure>> {
  const { matrix } = candidates
  const graph = HnswGraph.empty(matrix.dimension, options.hnsw)
  for (let row = 0; row < matrix.rows; row++)
    if (weights?.[row] !== 0) graph.add(row, matrix.read(row, row + 1))
  const all = [...right.keys()]
  const chosen = [...sampled(all.length, MAX_QUERIES, options.seed)].map((i) => all[i])
  const exact = await bestMatches({ candidates: queries, rows: chosen }, candidates, OVERLAP)
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
      found.filter(({ score }) => score >= lastOf(exact[i], candidates) - ROUNDING).length /
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
function lastOf(best: ScoredRow[], { weight }: Candidates): number {
  let seen = 0
  return (best.find(({ row }) => (seen += weight[row]) >= OVERLAP) ?? best.at(-1)!).score
}

function group(keys: Uint32Array, values: Uint32Array): Map<number, Set<number>> {
  const groups = new Map<number, Set<number>>()
  keys.forEach((key, i) => groups.set(key, (groups.get(key) ?? new Set()).add(values[i])))
  return groups
}

const WORST = 12
const RETURNED = 5

interface Context {
  input: RetrievalInput
  candidates: { images: Candidates; captions: Candidates }
}

/** The queries whose right results come last, with what came instead; none of rows that have no names. */
async function worstOfWay(
  { name, queries }: Way,
  { input, candidates }: Context
): Promise<{ title: string; queries: WorstQuery[] }> {
  const { imageIds, captionTexts, pairs } = input
  const isToImage = name === 'text_to_image'
  const title = isToImage ? 'Captions whose image came last' : 'Images whose captions came last'
  if (!imageIds || !captionTexts) return { title, queries: [] }
  const image = (row: number): Shown => ({ image: imageIds[row] })
  const caption = (row: number): Shown => ({ text: captionTexts[row] })
  const [from, to] = isToImage ? [pairs.captions, pairs.images] : [pairs.images, pairs.captions]
  const [showQuery, showResult] = isToImage ? [caption, image] : [image, caption]
  const worst = [...queries]
    .map(([row, rank]) => ({ row, rank: expectedRank(rank) }))
    .filter(({ rank }) => rank > 1)
    .sort((a, b) => b.rank - a.rank || a.row - b.row)
    .slice(0, WORST)
  const [asked, searched] = isToImage
    ? [candidates.captions, candidates.images]
    : [candidates.images, candidates.captions]
  const returned = await bestMatches(
    { candidates: asked, rows: worst.map(({ row }) => row) },
    searched,
    RETURNED
  )
  return {
    title,
    queries: worst.map(({ row, rank }, i) => ({
      query: showQuery(row),
      expected: [...to.filter((_, pair) => from[pair] === row)].map(showResult),
      returned: returned[i].map(({ row, score }) => ({ shown: showResult(row), score })),
      rank
    }))
  }
}
