import t, { type Test } from 'tap'
import { ResidentVectors } from '../../../src/collections/resident-vectors.js'
import { LARGEST_BLOCK, VectorArenas } from '../../../src/collections/vector-arena.js'
import { DIMENSION, randomVector } from '../../fixtures/collections.js'
import { uniform } from '../../fixtures/random.js'

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, d) => sum + value * b[d], 0)

/** Fails unless a scan over all, over some labels, and `score` agree with dot products in JavaScript. */
function requireScores(t: Test, vectors: ResidentVectors, held: Map<number, Float32Array>): void {
  const query = randomVector(held.values().next().value!.length)
  const all = vectors.scan(query, held.size)
  t.equal(all.length, held.size)
  t.ok(
    all.every(({ label, score }) => Math.abs(score - dot(query, held.get(label)!)) < 1e-6),
    'scores are dot products'
  )
  t.ok(
    all.every(
      (hit, i) =>
        i === 0 ||
        all[i - 1].score > hit.score ||
        (all[i - 1].score === hit.score && all[i - 1].label < hit.label)
    ),
    'best first, equal ones by label'
  )
  t.ok(
    all.every(({ label, score }) => vectors.score(query, label) === score),
    'one by one the same'
  )
  const some = [...held.keys()].filter((label) => label % 3 === 0).reverse()
  t.same(
    vectors.scan(query, 10, [...some, 2 ** 32 - 1]),
    all.filter(({ label }) => label % 3 === 0).slice(0, 10),
    'among some labels the same'
  )
}

t.test('vectors come and go, and are scored as in JavaScript, whatever their dimension', async (t) => {
  for (const dimension of [1, 3, 4, 5, 16, 17, 63, 64, 65, 200, 1027]) {
    const vectors = new ResidentVectors(dimension, new VectorArenas(2 * LARGEST_BLOCK))
    const held = new Map<number, Float32Array>()
    for (let step = 0, label = 1; step < 4000; step++) {
      if (uniform() < 0.6) {
        const vector = randomVector(dimension)
        vectors.add(label, vector)
        held.set(label++, vector)
      } else if (held.size > 0) {
        const some = [...held.keys()][Math.floor(uniform() * held.size)]
        t.equal(vectors.remove(some), true)
        held.delete(some)
      }
    }
    t.equal(vectors.remove(2 ** 32 - 1), false)
    t.equal(vectors.size, held.size)
    t.same(new Set(vectors.labels()), new Set(held.keys()))
    t.ok(
      [...held].every(
        ([label, vector]) =>
          dot(vectors.get(label)!, vector) === dot(vector, vector) && vectors.get(label)!.length === dimension
      )
    )
    requireScores(t, vectors, held)
  }
})

t.test('an empty index finds nothing', async (t) => {
  const vectors = new ResidentVectors(DIMENSION, new VectorArenas())
  t.same(vectors.scan(randomVector(), 5), [])
  t.same(vectors.scan(randomVector(), 5, [1]), [])
  t.equal(vectors.bytes, 0)
})

t.test('indexes grow over the ends of arenas', async (t) => {
  const arenas = new VectorArenas(3 * LARGEST_BLOCK)
  const dimension = 4096
  const [one, other] = [new ResidentVectors(dimension, arenas), new ResidentVectors(dimension, arenas)]
  const held = new Map<number, Float32Array>()
  for (let label = 1; label <= 400; label++) {
    const vector = randomVector(dimension)
    held.set(label, vector)
    one.add(label, vector)
    other.add(label, vector)
  }
  t.ok(arenas.bytes > 4 * 3 * LARGEST_BLOCK, 'several arenas')
  requireScores(t, one, held)
  requireScores(t, other, held)
})

t.test('memory goes back: to other indexes, and with whole arenas to the system', async (t) => {
  const arenas = new VectorArenas(40 * LARGEST_BLOCK)
  const fill = (dimension: number, count: number) => {
    const vectors = new ResidentVectors(dimension, arenas)
    for (let label = 1; label <= count; label++) vectors.add(label, randomVector(dimension))
    return vectors
  }
  const small = Array.from({ length: 500 }, () => fill(64, 10))
  t.ok(arenas.bytes <= 500 * 4096 + 2 * LARGEST_BLOCK, 'small indexes are small')
  const before = arenas.bytes
  for (const vectors of small) vectors.clear()
  const large = fill(1024, 512)
  t.ok(arenas.bytes <= Math.max(before, 5 * LARGEST_BLOCK), 'what small indexes gave back serves a large one')
  t.ok(large.bytes >= 512 * 4096)
  for (let label = 1; label <= 500; label++) large.remove(label)
  t.ok(large.bytes <= 2 * LARGEST_BLOCK, 'an index gives back what it needs no more')
  large.clear()
  const huge = fill(4096, 64 * 45)
  t.ok(arenas.bytes >= 45 * LARGEST_BLOCK)
  huge.clear()
  t.ok(arenas.bytes <= 32 * LARGEST_BLOCK, 'free arenas are let go of')
})
