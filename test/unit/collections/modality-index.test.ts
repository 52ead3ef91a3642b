import t from 'tap'
import { ModalityIndex } from '../../../src/collections/modality-index.js'
import { TopK } from '../../../src/collections/top-k.js'
import { DIMENSION, randomVector, settings } from '../../fixtures/collections.js'
import { uniform } from '../../fixtures/random.js'

const { hnsw } = settings('any')

t.test('the k best are those of a full sort', async (t) => {
  for (const k of [0, 1, 5, 100, 300]) {
    const scores = Array.from({ length: 200 }, () => Math.round(uniform() * 50))
    const best = new TopK(k)
    scores.forEach((score, label) => best.push(label, score))
    t.same(
      best.sorted().map(({ score }) => score),
      [...scores].sort((a, b) => b - a).slice(0, k),
      `k ${k}`
    )
  }
})

t.test('an index finds what an exact scan finds, while it is built and after, with deletes', async (t) => {
  const index = new ModalityIndex(DIMENSION, hnsw)
  for (let label = 1; label <= 3000; label++) index.add(label, randomVector())
  const recall = () => {
    let found = 0
    for (let i = 0; i < 100; i++) {
      const query = randomVector()
      const exact = new Set(index.search(query, { limit: 10, exact: true }).hits.map(({ label }) => label))
      found += index.search(query, { limit: 10 }).hits.filter(({ label }) => exact.has(label)).length
    }
    return found / 1000
  }
  t.equal(index.pending, 3000)
  t.equal(recall(), 1, 'all wait: all are scanned')
  while (index.pending > 1500) index.insertPending(performance.now() + 1, t.fail)
  t.ok(recall() >= 0.97, 'half wait')
  index.insertPending(Infinity, t.fail)
  t.equal(index.pending, 0)
  t.ok(recall() >= 0.97, 'none waits')
  for (let label = 2; label <= 3000; label += 2) index.remove(label)
  index.remove(0)
  t.equal(index.size, 1500)
  t.ok(recall() >= 0.97, 'half are gone')
  t.ok(index.search(randomVector(), { limit: 1000 }).hits.every(({ label }) => label % 2 === 1))
})

t.test('an update while the label waits leaves one vector', async (t) => {
  const index = new ModalityIndex(DIMENSION, hnsw)
  const [before, after] = [randomVector(), randomVector()]
  index.add(1, before)
  index.remove(1)
  index.add(2, after)
  index.add(2, before)
  index.insertPending(Infinity, t.fail)
  t.same(
    index.search(after, { limit: 5 }).hits.map(({ label }) => label),
    [2]
  )
  t.ok(index.search(after, { limit: 5 }).hits[0].score > 0.9999, 'a label that is there is not overwritten')
})

t.test('of the graph only labels that may be found are, however far apart they are', async (t) => {
  for (const step of [1, 1000]) {
    const index = new ModalityIndex(DIMENSION, hnsw)
    const all = Array.from({ length: 2000 }, (_, i) => (i + 1) * step)
    for (const label of all) index.add(label, randomVector())
    index.insertPending(Infinity, t.fail)
    const labels = all.filter((label) => (label / step) % 3 === 0 && label > 300 * step)
    let found = 0
    for (let i = 0; i < 100; i++) {
      const query = randomVector()
      const exact = new Set(
        index.search(query, { limit: 10, exact: true, labels }).hits.map(({ label }) => label)
      )
      const hits = index.candidates(query, { limit: 10, labels })
      t.ok(hits.every(({ label }) => labels.includes(label)))
      found += hits.filter(({ label }) => exact.has(label)).length
    }
    t.ok(found / 1000 >= 0.97, `labels ${step} apart`)
    t.same(index.search(randomVector(), { limit: 10, labels: [] }).hits, [])
  }
})

t.test('a cleared index holds nothing', async (t) => {
  const index = new ModalityIndex(DIMENSION, hnsw)
  for (let label = 1; label <= 100; label++) index.add(label, randomVector())
  index.clear()
  t.equal(index.size, 0)
  t.equal(index.pending, 0)
  t.same(index.search(randomVector(), { limit: 10, exact: true }).hits, [])
})
