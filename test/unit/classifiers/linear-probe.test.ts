import { readFileSync } from 'node:fs'
import t from 'tap'
import { minimise } from '../../../src/classifiers/lbfgs.js'
import { best, rowAt, type FeatureRows } from '../../../src/classifiers/linear-classifier.js'
import { trainLinearProbe } from '../../../src/classifiers/linear-probe.js'

interface Case {
  n: number
  dimension: number
  classes: number
  c: number
  loss: number
  scores: number[][]
}

const reference = JSON.parse(
  readFileSync(new URL('../../fixtures/reference/classifiers/reference.json', import.meta.url), 'utf8')
) as { cases: Case[] }

/** The numbers of reference.py, from -1 to 1. */
function draw(count: number): number[] {
  let state = 1
  return Array.from({ length: count }, () => {
    state = Number((BigInt(state) * 1103515245n + 12345n) & 0x7fffffffn)
    return ((state >> 8) / (1 << 23)) * 2 - 1
  })
}

/** Rows of two-dimensional points around one centre for each class, on a circle. */
function clusters(counts: number[], spread: number): { rows: FeatureRows; labels: number[] } {
  const labels = counts.flatMap((count, k) => Array.from({ length: count }, () => k))
  const noise = draw(2 * labels.length)
  const values = labels.flatMap((k, i) => {
    const angle = (2 * Math.PI * k) / counts.length
    return [Math.cos(angle) + spread * noise[2 * i], Math.sin(angle) + spread * noise[2 * i + 1]]
  })
  return { rows: { values: Float32Array.from(values), dimension: 2 }, labels }
}

function accuracy({ rows, labels }: { rows: FeatureRows; labels: number[] }, c: number): number {
  const classes = Math.max(...labels) + 1
  const probe = trainLinearProbe(rows, labels, { classes, c })
  return labels.filter((label, i) => best(probe.scores(rowAt(rows, i))) === label).length / labels.length
}

for (const { n, dimension, classes, c, loss, scores } of reference.cases) {
  t.test(`the probe is PyTorch's: ${n} rows of ${dimension}, ${classes} classes, C ${c}`, async (t) => {
    const drawn = draw(n * dimension)
    const rows = { values: Float32Array.from(drawn), dimension }
    const labels = Uint32Array.from({ length: n }, (_, i) =>
      i % 7 === 0 ? classes - 1 : (i + Number(rows.values[i * dimension] > 0)) % classes
    )
    const probe = trainLinearProbe(rows, labels, { classes, c, tolerance: 1e-8 })
    const found = Array.from({ length: n }, (_, i) => probe.scores(rowAt(rows, i)))
    const penalty = probe.weights.reduce((sum, weight) => sum + weight ** 2, 0) / 2
    const total = penalty - c * found.reduce((sum, row, i) => sum + Math.log(row[labels[i]]), 0)
    t.ok(Math.abs(total - loss) < 1e-5 * Math.max(1, loss), `a loss of ${total}, not ${loss}`)
    const furthest = Math.max(
      ...scores.flatMap((row, i) => row.map((score, k) => Math.abs(score - found[i][k])))
    )
    t.ok(furthest < 1e-4, `scores up to ${furthest} away`)
  })
}

t.test('classes that a line tells apart are told apart, noisy ones mostly', async (t) => {
  t.equal(accuracy(clusters([20, 20], 0.3), 10), 1)
  t.equal(accuracy(clusters([20, 20, 20, 20], 0.3), 10), 1)
  t.equal(accuracy(clusters([1, 1, 1], 0), 10), 1, 'one example a class')
  const noisy = accuracy(clusters([200, 200, 200], 2), 1)
  t.ok(noisy > 0.5 && noisy < 1, `${noisy} of noisy ones`)
})

t.test('fifty classes in two dimensions need strong weights, which a large C allows', async (t) => {
  t.equal(
    accuracy(
      clusters(
        Array.from({ length: 50 }, () => 4),
        0.01
      ),
      1e6
    ),
    1
  )
})

t.test('uneven classes are told by their frequency where the rows say nothing', async (t) => {
  const rows = { values: new Float32Array(20), dimension: 1 }
  const labels = Array.from({ length: 20 }, (_, i) => (i < 15 ? 0 : 1))
  const scores = trainLinearProbe(rows, labels, { classes: 2, c: 1, tolerance: 1e-9 }).scores([0])
  t.ok(Math.abs(scores[0] - 0.75) < 1e-6, String(scores))
})

t.test('training starts where it is told, and ends when it is told', async (t) => {
  const { rows, labels } = clusters([30, 30, 30], 1)
  let passes = 0
  const count = { onPass: () => void passes++ }
  const probe = trainLinearProbe(rows, labels, { classes: 3, c: 10, ...count })
  const needed = passes
  passes = 0
  trainLinearProbe(rows, labels, { classes: 3, c: 10, start: probe, ...count })
  t.equal(passes, 1, 'at its end nothing is left to do')
  t.ok(needed > 3)
  const stop = () => {
    throw new Error('enough')
  }
  t.throws(() => trainLinearProbe(rows, labels, { classes: 3, c: 10, onPass: stop }), { message: 'enough' })
})

t.test('L-BFGS finds the minimum of a narrow valley, and says when it does not', async (t) => {
  const rosenbrock = (at: Float64Array, gradient: Float64Array) => {
    const [x, y] = at
    gradient.set([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2
  }
  const { at, converged } = minimise(rosenbrock, Float64Array.of(-1.2, 1), { tolerance: 1e-8 })
  t.ok(converged)
  t.ok(Math.abs(at[0] - 1) < 1e-6 && Math.abs(at[1] - 1) < 1e-6, String(at))
  t.notOk(minimise(rosenbrock, Float64Array.of(-1.2, 1), { maxIterations: 3 }).converged)
  t.notOk(
    minimise((at, gradient) => ((gradient[0] = NaN), at[0]), Float64Array.of(1)).converged,
    'NaN is no minimum'
  )
})
