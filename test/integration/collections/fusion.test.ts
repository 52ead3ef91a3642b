import t from 'tap'
import { CollectionIndex } from '../../../src/collections/collection-index.js'
import { parseFilter } from '../../../src/collections/filter.js'
import {
  distributionOf,
  jointScores,
  ranksOf,
  reciprocalRankFusion,
  standardScores,
  weightedMean,
  type Fusion
} from '../../../src/collections/fusion.js'
import { settings } from '../../fixtures/collections.js'

type Vector = Float32Array<ArrayBuffer>
const { hnsw } = settings('any')
const columns = (image: number[], text: number[]) => ({
  image: Float64Array.from(image),
  text: Float64Array.from(text)
})
const equal = { image: 1, text: 1 }

/**
 * Numbers of a normal distribution, the same ones every time (Marsaglia's xorshift and Box and Muller's
 * method).
 */
function normals(seed: number): () => number {
  let state = seed
  const uniform = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return ((state >>> 0) + 0.5) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

const dot = (a: Vector, b: Vector) => a.reduce((sum, value, d) => sum + value * b[d], 0)
const unit = (vector: number[]) => Float32Array.from(vector, (value) => value / Math.hypot(...vector))

/**
 * Records of 64 dimensions in 100 clusters. Record = its cluster's centre + what is its own; image and text
 * are that with noise of their own, each moved to its modality's part of the space. A query is another text
 * about a record.
 */
function clustered(count: number, { queries, missing = 0 }: { queries: number; missing?: number }) {
  const normal = normals(7)
  const gaussian = (scale: number) => Array.from({ length: 64 }, () => (normal() * scale) / 8)
  const add = (...parts: number[][]) => parts[0].map((_, d) => parts.reduce((sum, part) => sum + part[d], 0))
  const [centres, toImage, toText] = [
    Array.from({ length: 100 }, () => gaussian(1)),
    gaussian(0.5),
    gaussian(0.5)
  ]
  const topics = Array.from({ length: count }, (_, i) => add(centres[i % 100], gaussian(0.6)))
  const records = topics.map((topic, i) => ({
    image: i % 10 < missing && i % 2 === 0 ? undefined : unit(add(topic, gaussian(1), toImage)),
    text: i % 10 < missing && i % 2 === 1 ? undefined : unit(add(topic, gaussian(1), toText))
  }))
  return {
    records,
    queries: Array.from({ length: queries }, (_, i) =>
      unit(add(topics[(i * 37) % count], gaussian(1), toText))
    )
  }
}

function indexOf(records: { image?: Vector; text?: Vector }[]): CollectionIndex {
  const index = new CollectionIndex({ dimension: 64, hnsw })
  records.forEach(({ image, text }, i) => {
    index.put(i + 1, { n: i, even: i % 2 === 0 })
    if (image) index.add(i + 1, { label: 2 * i + 1, modality: 'image' }, image)
    if (text) index.add(i + 1, { label: 2 * i + 2, modality: 'text' }, text)
  })
  for (const modality of ['image', 'text'] as const)
    index.modalities[modality].insertPending(Infinity, (problem) => t.fail(problem))
  return index
}

/** Joint vectors as they are defined, made and compared one by one. */
function bruteForce(
  records: { image?: Vector; text?: Vector }[],
  query: Vector,
  [image, text]: number[]
): { key: number; score: number }[] {
  const joint = (record: (typeof records)[number]) => {
    if (!record.image || image === 0) return text > 0 ? record.text : undefined
    if (!record.text || text === 0) return record.image
    return unit(Array.from(record.image, (value, d) => image * value + text * record.text![d]))
  }
  return records
    .flatMap((record, i) => {
      const vector = joint(record)
      return vector ? [{ key: i + 1, score: dot(query, vector) }] : []
    })
    .sort((a, b) => b.score - a.score)
}

t.test('ranks, standard scores, and fusions of what records have', async (t) => {
  t.same(
    [...ranksOf(Float64Array.of(0.5, NaN, 0.9, 0.5, 0.1))],
    [2.5, NaN, 1, 2.5, 4],
    'equal ones share their ranks'
  )
  t.same(
    [...standardScores(Float64Array.of(1, NaN, 3), distributionOf(Float64Array.of(1, NaN, 3)))],
    [-1, NaN, 1]
  )
  t.same(
    [...standardScores(Float64Array.of(0.3, 0.3), distributionOf(Float64Array.of(0.3, 0.3)))],
    [0, 0],
    'no spread, no scale'
  )
  const cosines = columns([0.2, 0.4, NaN, NaN], [0.8, NaN, 0.6, NaN])
  t.same(
    [...weightedMean(cosines, { image: 3, text: 1 })].map((score) => score.toFixed(9)),
    ['0.350000000', '0.400000000', '0.600000000', 'NaN']
  )
  t.same(
    [...weightedMean(cosines, { image: 0, text: 1 })],
    [0.8, NaN, 0.6, NaN],
    'what weighs nothing makes no match'
  )
  const ranks = { image: ranksOf(cosines.image), text: ranksOf(cosines.text) }
  t.same(
    [...reciprocalRankFusion({ cosines, ranks }, equal)],
    [1 / 62 + 1 / 61, 2 / 61, 2 / 62, NaN],
    'what is missing counts as what is there'
  )
  t.same(
    [...reciprocalRankFusion({ cosines, ranks: columns([NaN, 1, NaN, NaN], [1, NaN, 2, NaN]) }, equal)],
    [1 / 61, 2 / 61, 2 / 62, NaN],
    'what is there and was not found counts nothing'
  )
  t.same(
    [...jointScores({ cosines, inner: Float64Array.of(0, NaN, NaN, NaN) }, equal)],
    [1 / Math.SQRT2, 0.4, 0.6, NaN]
  )
  t.same(
    [...jointScores({ cosines: columns([0.3], [-0.3]), inner: Float64Array.of(-1 + 1e-9) }, equal)],
    [0],
    'opposite embeddings leave nothing'
  )
})

t.test('exact joint scores are those of the joint vectors', async (t) => {
  const { records, queries } = clustered(600, { queries: 5, missing: 6 })
  const index = indexOf(records)
  for (const weights of [
    {},
    { image: 0.3, text: 0.7 },
    { image: 100, text: 1 },
    { image: 0, text: 1 },
    { image: 2, text: 0 }
  ]) {
    const [image, text] = [weights.image ?? 1, weights.text ?? 1]
    for (const query of queries) {
      const expected = bruteForce(records, query, [image, text])
      const { hits, explanation } = index.search(query, {
        target: 'record',
        limit: 1000,
        exact: true,
        fusion: { method: 'joint', weights }
      })
      t.same(
        hits.map(({ key }) => key),
        expected.map(({ key }) => key)
      )
      t.ok(hits.every(({ score }, i) => Math.abs(score - expected[i].score) < 1e-6))
      t.match(explanation, { strategy: 'exact', passed: 600, total: 600, candidates: 600 })
      const filtered = index.search(query, {
        target: 'record',
        limit: 20,
        filter: parseFilter({ even: true, n: { $gt: 100 } }),
        fusion: { method: 'joint', weights }
      })
      t.same(
        filtered.hits.map(({ key }) => key),
        expected
          .filter(({ key }) => key % 2 === 1 && key > 101)
          .slice(0, 20)
          .map(({ key }) => key),
        'with a filter'
      )
    }
  }
})

t.test('the inner product of a record follows its embeddings', async (t) => {
  const {
    records,
    queries: [query]
  } = clustered(20, { queries: 1 })
  const index = indexOf(records)
  const found = () =>
    index
      .search(query, { target: 'record', limit: 20, fusion: { method: 'joint' } })
      .hits.map(({ key, score }) => ({ key, score: score.toFixed(5) }))
  const expected = () =>
    bruteForce(records, query, [1, 1]).map(({ key, score }) => ({ key, score: score.toFixed(5) }))
  t.same(found(), expected())
  const change = (i: number, text: Vector | undefined, label: number) => {
    index.apply(
      {
        key: i + 1,
        existed: true,
        gone: false,
        metadata: '{}',
        removed: [{ label: 2 * i + 2, modality: 'text' }],
        added: text ? [{ label, modality: 'text' }] : []
      },
      text ? [text] : []
    )
    records[i] = { ...records[i], text }
  }
  change(3, query, 1001)
  change(4, undefined, 0)
  t.same(found(), expected())
})

t.test(
  'of 10,000 clustered records the candidates of both graphs hold those that an exact fusion finds',
  async (t) => {
    const { records, queries } = clustered(10_000, { queries: 20, missing: 3 })
    const index = indexOf(records)
    const fusions: Fusion[] = [
      { method: 'joint' },
      { method: 'joint', weights: { image: 3, text: 1 } },
      { method: 'rrf' },
      { method: 'weighted' },
      { method: 'weighted', normalisation: 'z-score' }
    ]
    for (const fusion of fusions) {
      for (const filter of [undefined, parseFilter({ n: { $gte: 2000 } })]) {
        let found = 0
        for (const query of queries) {
          const search = (options: { limit: number; exact?: boolean }) =>
            index.search(query, { target: 'record', filter, fusion, ...options })
          const { hits, explanation } = search({ limit: 10 })
          const exact = search({ limit: 10, exact: true })
          const wanted = new Map(exact.hits.map(({ key, score }) => [key, score]))
          const common = hits.filter(({ key }) => wanted.has(key))
          found += common.length
          if (explanation.strategy !== 'hnsw' || explanation.passed !== (filter ? 8000 : 10_000))
            t.fail(JSON.stringify(explanation))
          if (
            fusion.method !== 'rrf' &&
            common.some(({ key, score }) => Math.abs(score - wanted.get(key)!) > 1e-9)
          )
            t.fail('rescored exactly')
          if (JSON.stringify(search({ limit: 90 }).hits.slice(0, 10)) !== JSON.stringify(hits))
            t.fail('pages fit together')
          if (filter && hits.some(({ key }) => key <= 2000)) t.fail('only what passes')
        }
        const recall = found / (10 * queries.length)
        t.ok(
          recall >= 0.97,
          `${JSON.stringify(fusion)}${filter ? ' with a filter' : ''}: recall@10 ${recall}`
        )
      }
    }
  }
)

t.test('z-scores lift neither those with an image alone nor those with a text alone', async (t) => {
  // A text query: cosines with texts are 0.3 higher than with images.
  const normal = normals(3)
  const image = Float64Array.from({ length: 3000 }, (_, i) => (i % 3 === 1 ? NaN : 0.1 + 0.05 * normal()))
  const text = Float64Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? NaN : 0.4 + 0.1 * normal()))
  const shares = (scores: Float64Array) => {
    const top = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, 300)
    return [0, 1].map((kind) => top.filter((i) => i % 3 === kind).length / 300)
  }
  const [rawImages, rawTexts] = shares(weightedMean({ image, text }, equal))
  t.ok(rawImages === 0 && rawTexts > 0.9, `raw cosines: ${rawImages} images, ${rawTexts} texts`)
  const z = (column: Float64Array) => standardScores(column, distributionOf(column))
  const [images, texts] = shares(weightedMean({ image: z(image), text: z(text) }, equal))
  t.ok(Math.abs(images - texts) < 0.1, `z-scores: ${images} images, ${texts} texts`)
})
