import t from 'tap'
import { place, planPlacement } from '../../../web/src/views/map/place-others.js'
import { layOut, type LayoutStep } from '../../../web/src/views/map/umap-layout.js'
import type { Neighbors } from '../../../web/src/views/map/neighbors.js'

/** Points in groups far from each other on a circle, with their nearest by brute force. */
function grouped({ groups = 3, each = 40, k = 10, prefix = '' } = {}): Neighbors {
  const n = groups * each
  const angle = (point: number) => (2 * Math.PI * Math.floor(point / each)) / groups + 0.004 * (point % each)
  const nearest = new Uint32Array(n * k)
  const similarities = new Float32Array(n * k)
  for (let point = 0; point < n; point++) {
    const others = Array.from({ length: n }, (_, other) => ({
      other,
      cosine: Math.cos(angle(point) - angle(other))
    })).filter(({ other }) => other !== point)
    others.sort((a, b) => b.cosine - a.cosine)
    others.slice(0, k).forEach(({ other, cosine }, j) => {
      nearest[point * k + j] = other
      similarities[point * k + j] = cosine
    })
  }
  return {
    ids: Array.from({ length: n }, (_, point) => `${prefix}${point}`),
    k,
    nearest,
    similarities,
    records: n
  }
}

function last(steps: Iterable<LayoutStep>): Float32Array {
  const all = [...steps]
  const end = all.at(-1)!
  if (!end.done || end.progress !== 1 || all.slice(0, -1).some(({ done }) => done))
    throw new Error('A layout ends once.')
  return end.positions
}

const distance = (positions: Float32Array, a: number, b: number) =>
  Math.hypot(positions[2 * a] - positions[2 * b], positions[2 * a + 1] - positions[2 * b + 1])

/** The mean distance of points of one group to that of points of two. */
function separation(positions: Float32Array, each: number): number {
  const sums = { within: [0, 0], between: [0, 0] }
  for (let a = 0; a < positions.length / 2; a++) {
    for (let b = a + 1; b < positions.length / 2; b++) {
      const sum = Math.floor(a / each) === Math.floor(b / each) ? sums.within : sums.between
      sum[0] += distance(positions, a, b)
      sum[1]++
    }
  }
  return sums.between[0] / sums.between[1] / (sums.within[0] / sums.within[1])
}

t.test('what is alike lies together', async (t) => {
  const all = grouped()
  const positions = last(layOut({ all }))
  t.ok(positions.every(Number.isFinite))
  t.ok(
    separation(positions, 40) > 3,
    `groups lie ${separation(positions, 40).toFixed(1)} times as far apart as their points`
  )
  t.same(last(layOut({ all })), positions, 'the same each time')
})

t.test('of large samples some are laid out, and the others find their places among them', async (t) => {
  const all = grouped({ each: 60, k: 12 })
  // Every second point, with neighbours among themselves.
  const landmarks = grouped({ each: 30, k: 10 })
  landmarks.ids = landmarks.ids.map((id) => String(2 * Number(id)))
  const positions = last(layOut({ all, landmarks }))
  t.equal(positions.length, 2 * all.ids.length)
  t.ok(positions.every(Number.isFinite), 'each has a place')
  t.ok(separation(positions, 60) > 3)
})

t.test('a landmark that is gone meanwhile is left out', async (t) => {
  const all = grouped()
  const landmarks = grouped({ each: 20, k: 8 })
  landmarks.ids = landmarks.ids.map((id, point) => (point === 0 ? 'gone' : String(2 * Number(id))))
  t.ok(last(layOut({ all, landmarks })).every(Number.isFinite))
})

t.test('places are means by likeness, in rounds; what none leads to has none', async (t) => {
  // 0 and 1 are placed; 2 lies next to both, 3 next to 2 alone, 4 and 5 next to each other.
  const graph = {
    n: 6,
    k: 2,
    nearest: Uint32Array.from([1, 2, 0, 2, 0, 1, 2, 2, 5, 5, 4, 4]),
    similarities: Float32Array.from([0.5, 0.5, 0.5, 0.5, 0.9, 0.9, 0.8, 0.8, 0.9, 0.9, 0.9, 0.9])
  }
  const plan = planPlacement(graph, Uint8Array.from([1, 1, 0, 0, 0, 0]))
  t.same([...plan.points], [2, 3])
  const positions = new Float32Array(12).fill(NaN)
  positions.set([0, 0, 4, 2])
  place(plan, positions)
  t.same([...positions.subarray(4, 8)], [2, 1, 2, 1], 'half way between equals, and where the only one is')
  t.ok(positions.subarray(8).every(Number.isNaN))
})

t.test('few points are laid out too', async (t) => {
  for (const n of [0, 1, 2, 3, 5]) {
    const k = Math.max(0, n - 1)
    const nearest = Uint32Array.from({ length: n * k }, (_, at) => (Math.floor(at / k) + 1 + (at % k)) % n)
    const positions = last(
      layOut({
        all: {
          ids: Array.from({ length: n }, String),
          k,
          nearest,
          similarities: new Float32Array(n * k).fill(0.5),
          records: n
        }
      })
    )
    t.equal(positions.length, 2 * n)
    t.ok(positions.every(Number.isFinite), `${n} points`)
  }
})
