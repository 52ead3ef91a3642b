import t from 'tap'
import { ModalityIndex } from '../../../src/collections/modality-index.js'
import { findNeighbors, NOBODY, type Neighbors } from '../../../src/collections/neighbors.js'
import { sampleLabels } from '../../../src/collections/sample.js'
import { DIMENSION, randomVector, settings } from '../../fixtures/collections.js'
import { uniform } from '../../fixtures/random.js'

const { hnsw } = settings('any')

/** Does work to its end, with something in between. */
function run(work: Generator<void, Neighbors>, between?: (n: number) => void): Neighbors {
  for (let n = 0; ; n++) {
    const step = work.next()
    if (step.done) return step.value
    between?.(n)
  }
}

/** An index of labels that lie 3 apart, and the k best of some of them, by hand. */
function filled(count: number) {
  const index = new ModalityIndex(DIMENSION, hnsw)
  const vectors = new Map(Array.from({ length: count }, (_, n) => [3 * n + 1, randomVector()]))
  for (const [label, vector] of vectors) index.add(label, vector)
  const nearest = (labels: number[], row: number, k: number) => {
    const scores = labels.map((label, position) => ({
      position,
      score: vectors.get(label)!.reduce((sum, value, d) => sum + value * vectors.get(labels[row])![d], 0)
    }))
    return scores
      .filter(({ position }) => position !== row)
      .sort((a, b) => b.score - a.score)
      .slice(0, k)
  }
  return { index, nearest }
}

t.test(
  'a sample is the same for the same labels, mostly the same for a few more, and all where there are no more',
  async (t) => {
    const labels = Array.from({ length: 20_000 }, (_, n) => 1 + 7 * n + (n % 3))
    const shuffled = [...labels].sort(() => uniform() - 0.5)
    for (const size of [1, 2, 100, 5000, 19_999]) {
      const sample = sampleLabels(labels, size)
      t.equal(new Set(sample).size, size)
      t.same(sampleLabels(shuffled, size), sample, `${size}, in any order`)
      t.same(
        [...sample].sort((a, b) => a - b),
        sample
      )
      const members = new Set(labels)
      t.ok(sample.every((label) => members.has(label)))
    }
    const before = new Set(sampleLabels(labels, 1000))
    const after = sampleLabels([...labels, 4_000_000_000, 4_294_967_295], 1000)
    t.ok(after.filter((label) => before.has(label)).length >= 998)
    t.same(sampleLabels(shuffled, 20_000), labels)
    t.same(sampleLabels([3, 1, 2], 10), [1, 2, 3])
    t.same(sampleLabels([], 10), [])
    const quarters = [0, 0, 0, 0]
    for (const label of sampleLabels(labels, 4000)) quarters[Math.floor((label / 140_003) * 4)]++
    t.ok(
      quarters.every((count) => count > 850 && count < 1150),
      `from everywhere: ${quarters}`
    )
  }
)

t.test('compared exactly, neighbors are those of a search by hand', async (t) => {
  const { index, nearest } = filled(700)
  index.insertPending(Infinity, t.fail)
  for (const size of [700, 311, 2, 1]) {
    const labels = sampleLabels(index.labels(), size)
    const k = Math.min(9, size - 1)
    const { positions, similarities } = run(findNeighbors(index, labels, { k, exactUpTo: 1000 }))
    t.equal(positions.length, size * k)
    for (let row = 0; row < size; row++) {
      const all = nearest(labels, row, size)
      const scoreOf = new Map(all.map(({ position, score }) => [position, score]))
      const mine = [...positions.subarray(row * k, row * k + k)]
      t.equal(new Set(mine).size, k)
      // By their scores: rounding may turn round two that are all but equal.
      t.ok(
        mine.every((position, i) =>
          [scoreOf.get(position)!, similarities[row * k + i]].every(
            (score) => Math.abs(score - all[i].score) < 1e-5
          )
        )
      )
    }
  }
})

t.test('by the graph, over all and over a part, nearly all are found and none from outside', async (t) => {
  const { index, nearest } = filled(2500)
  index.insertPending(performance.now() + 200, t.fail)
  for (const size of [2500, 1500]) {
    const labels = sampleLabels(index.labels(), size)
    const { positions, similarities } = run(findNeighbors(index, labels, { k: 10, exactUpTo: 0 }))
    let found = 0
    for (let row = 0; row < size; row += 5) {
      const mine = [...positions.subarray(row * 10, row * 10 + 10)]
      t.ok(mine.every((position) => position < size && position !== row) && new Set(mine).size === 10)
      t.ok(mine.every((_, i) => i === 0 || similarities[row * 10 + i - 1] >= similarities[row * 10 + i]))
      const expected = new Set(nearest(labels, row, 10).map(({ position }) => position))
      found += mine.filter((position) => expected.has(position)).length
    }
    t.ok(found / (size / 5) / 10 >= 0.97, `${size}: ${found}`)
  }
})

t.test('what comes and goes meanwhile leaves no wrong neighbor', async (t) => {
  for (const exactUpTo of [0, 10_000]) {
    const { index } = filled(1200)
    index.insertPending(Infinity, t.fail)
    const labels = sampleLabels(index.labels(), 1200)
    const gone = new Set<number>()
    const { positions, similarities } = run(findNeighbors(index, labels, { k: 5, exactUpTo }), (n) => {
      index.add(1_000_000 + n, randomVector())
      if (n >= labels.length / 4) return
      index.remove(labels[4 * n])
      gone.add(4 * n)
    })
    t.equal(gone.size > 1, true)
    positions.forEach((position, i) => {
      if (
        position === NOBODY
          ? !Number.isNaN(similarities[i])
          : position >= 1200 || !(Math.abs(similarities[i]) <= 1.0001)
      )
        t.fail(`${position} ${similarities[i]}`)
    })
    const left = Array.from(labels.keys()).filter((row) => !gone.has(row))
    t.ok(
      left.every((row) => positions[row * 5] !== NOBODY),
      'those that stayed have neighbors'
    )
  }
})
