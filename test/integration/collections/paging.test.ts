import t from 'tap'
import {
  CollectionIndex,
  type CollectionSearch,
  type RecordHit
} from '../../../src/collections/collection-index.js'
import { parseFilter } from '../../../src/collections/filter.js'
import { searchInDepths } from '../../../src/collections/paged-search.js'
import type { Hit } from '../../../src/collections/top-k.js'
import { random } from '../../../src/evaluation/statistics/statistics.js'
import { DIMENSION } from '../../fixtures/collections.js'

type Random = ReturnType<typeof random>

const unit = (values: number[]) => Float32Array.from(values, (value) => value / Math.hypot(...values))
const vectorOf = ({ uniform }: Random) => unit(Array.from({ length: DIMENSION }, () => uniform() - 0.5))
const inOrder = (hits: Hit[]) =>
  hits.every(
    ({ score, label }, i) =>
      i === 0 || score < hits[i - 1].score || (score === hits[i - 1].score && label > hits[i - 1].label)
  )

/**
 * Records of image, text or both: of each a part has the vectors of others. More than are scanned, in graphs
 * that miss some.
 */
function largeIndex(count: number): CollectionIndex {
  const index = new CollectionIndex({
    dimension: DIMENSION,
    hnsw: { m: 6, efConstruction: 24, efSearch: 24 }
  })
  const numbers = random(11)
  const repeated = Array.from({ length: 3 }, () => vectorOf(numbers))
  const vector = () =>
    numbers.uniform() < 0.15 ? repeated[Math.floor(numbers.uniform() * 3)] : vectorOf(numbers)
  for (let key = 1; key <= count; key++) {
    index.put(key, { n: key })
    if (key % 10 !== 3) index.add(key, { label: 2 * key, modality: 'image' }, vector())
    if (key % 10 !== 7) index.add(key, { label: 2 * key + 1, modality: 'text' }, vector())
  }
  for (const modality of ['image', 'text'] as const)
    index.modalities[modality].insertPending(Infinity, (problem) => t.fail(problem))
  return index
}

/** What is wrong with pages of a search, in words. */
function faultsOfPages(name: string, find: (limit: number) => RecordHit[]): string[] {
  const all = find(1300)
  const faults: string[] = []
  if (new Set(all.map(({ key }) => key)).size < all.length) faults.push(`${name}: a record is there twice`)
  if (all.some(({ score }, i) => i > 0 && score > all[i - 1].score)) faults.push(`${name}: scores rise`)
  for (const limit of [10, 100, 101, 128, 1001]) {
    if (JSON.stringify(find(limit)) !== JSON.stringify(all.slice(0, limit)))
      faults.push(`${name}: ${limit} are not the first ${limit}`)
  }
  return faults
}

t.test('pages of one query are parts of one list, for every target, fusion and filter', async (t) => {
  const index = largeIndex(5800)
  const numbers = random(5)
  const repeated = index.modalities.image.vector(2 * 1)!.slice()
  const queries = [vectorOf(numbers), repeated]
  const filters = {
    none: undefined,
    most: parseFilter({ n: { $lte: 5700 } }),
    few: parseFilter({ n: { $lt: 300 } })
  }
  const searches: Pick<CollectionSearch, 'target' | 'fusion'>[] = [
    { target: 'image' },
    { target: 'text' },
    { target: 'record' },
    { target: 'record', fusion: { method: 'rrf', weights: { image: 0.3 } } },
    { target: 'record', fusion: { method: 'weighted' } },
    { target: 'record', fusion: { method: 'weighted', normalisation: 'z-score' } },
    { target: 'record', fusion: { method: 'joint', weights: { image: 2, text: 1 } } }
  ]
  const faults: string[] = []
  const strategies = new Set<string>()
  for (const search of searches) {
    for (const [name, filter] of Object.entries(filters)) {
      for (const [q, query] of queries.entries()) {
        const find = (limit: number) => index.search(query, { ...search, limit, filter })
        faults.push(
          ...faultsOfPages(
            `${JSON.stringify(search)}, filter ${name}, query ${q}`,
            (limit) => find(limit).hits
          )
        )
        strategies.add(`${name} ${find(10).explanation.strategy}`)
      }
    }
  }
  t.same(faults, [])
  t.ok(strategies.has('none hnsw') && strategies.has('most hnsw'), 'graphs were searched')
  t.notOk(strategies.has('few hnsw'))
})

t.test('equal scores stand in the order of their labels, however many there are', async (t) => {
  const index = new CollectionIndex({
    dimension: DIMENSION,
    hnsw: { m: 16, efConstruction: 100, efSearch: 128 }
  })
  const numbers = random(3)
  const same = vectorOf(numbers)
  for (let key = 1; key <= 5400; key++) {
    index.put(key, null)
    index.add(key, { label: key, modality: 'image' }, key % 5 === 0 ? same : vectorOf(numbers))
  }
  index.modalities.image.insertPending(Infinity, (problem) => t.fail(problem))
  const { hits, explanation } = index.search(same, { target: 'image', limit: 1500 })
  t.same(
    hits.slice(0, 1080).map(({ key }) => key),
    Array.from({ length: 1080 }, (_, i) => 5 * (i + 1))
  )
  t.equal(explanation.strategy, 'exact', 'a list that comes of a scan alone is said to be exact')
  t.same(index.search(same, { target: 'image', limit: 10 }).hits, hits.slice(0, 10))
})

t.test('depths of a graph that misses some make one list', async (t) => {
  const { uniform } = random(23)
  for (let round = 0; round < 6; round++) {
    const total = 300_000
    // Scores of a few values, so that many are equal.
    const values = [10, 1000, 1e9][round % 3]
    const best: Hit[] = Array.from({ length: 15_000 }, (_, i) => ({
      label: i + 1,
      score: 1 - Math.round((uniform() * values) / 2) / values
    })).sort((a, b) => b.score - a.score || a.label - b.label)
    const isMissed = (label: number, depth: number) => (label * 7919 + depth) % 50 === 0
    const find = (limit: number) =>
      searchInDepths({
        limit,
        efSearch: [20, 128, 500][round % 3],
        total,
        byGraph: (depth) => best.filter(({ label }) => !isMissed(label, depth)).slice(0, depth),
        byScan: (count, below) => best.filter(({ score }) => score < below).slice(0, count)
      }).hits
    const all = find(13_500)
    t.ok(inOrder(all), 'scores fall, and labels of equal ones rise')
    t.ok(all.length === 13_500, `${all.length} hits`)
    const wrong = [1, 10, 127, 128, 500, 1279, 1280, 5000, 12_800, 13_499].filter(
      (limit) => JSON.stringify(find(limit)) !== JSON.stringify(all.slice(0, limit))
    )
    t.same(wrong, [], `round ${round}`)
  }
})

t.test('a graph that leads to too few is left for a scan', async (t) => {
  const live = Array.from({ length: 20_000 }, (_, i) => ({ label: i, score: 1 - i / 20_000 }))
  const { hits, isExact } = searchInDepths({
    limit: 50,
    efSearch: 128,
    total: live.length,
    byGraph: () => live.slice(5, 60),
    byScan: (count, below) => live.filter(({ score }) => score < below).slice(0, count)
  })
  t.same(hits, live.slice(0, 50))
  t.equal(isExact, true)
})
