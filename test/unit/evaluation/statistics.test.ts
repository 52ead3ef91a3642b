import t from 'tap'
import {
  bootstrap,
  bootstrapMean,
  bootstrapMeans,
  bootstrapMedian,
  figure,
  mean,
  pairedTest,
  quantile,
  random,
  type Interval
} from '../../../src/evaluation/statistics/statistics.js'

const OPTIONS = { seed: 7, resamples: 2000, confidence: 0.95 }

/** Sums of twelve uniform numbers less six: nearly normal, mean 0 and variance 1. */
const normal = (draw: ReturnType<typeof random>) =>
  Array.from({ length: 12 }, () => draw.uniform()).reduce((a, b) => a + b) - 6

t.test('a seed gives the same numbers, another one others', async (t) => {
  const list = (seed: number) => random(seed).shuffle(Uint32Array.from({ length: 50 }, (_, i) => i))
  t.same(list(3), list(3))
  t.notSame(list(3), list(4))
  t.same(
    [...list(3)].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i)
  )
  const draw = random(1)
  const counts = new Float64Array(5)
  for (let i = 0; i < 10_000; i++) counts[draw.int(5)]++
  t.ok(counts.every((count) => Math.abs(count - 2000) < 200))
})

t.test('quantiles as numpy has them', async (t) => {
  const sorted = Float64Array.of(1, 2, 4, 8)
  t.same(
    [0, 0.1, 0.5, 0.9, 1].map((share) => Math.round(1e9 * quantile(sorted, share)) / 1e9),
    [1, 1.3, 3, 6.8, 8]
  )
})

t.test('the interval of a mean is that of theory, and covers the truth as often as it says', async (t) => {
  const draw = random(5)
  const values = Float64Array.from({ length: 400 }, () => normal(draw))
  const { value, low, high } = bootstrapMean(values, OPTIONS)
  t.equal(value, mean(values))
  const error = Math.sqrt(values.reduce((sum, each) => sum + (each - value) ** 2, 0)) / 400
  t.ok(
    Math.abs(value - low - 1.96 * error) < 0.15 * error &&
      Math.abs(high - value - 1.96 * error) < 0.15 * error
  )
  let covered = 0
  for (let run = 0; run < 300; run++) {
    const { low, high } = bootstrapMean(
      Float64Array.from({ length: 60 }, () => normal(draw)),
      { ...OPTIONS, resamples: 400, seed: run }
    )
    if (low <= 0 && high >= 0) covered++
  }
  t.ok(covered >= 270 && covered <= 297, `${covered} of 300`)
})

t.test('items of one cluster are drawn together, so that copies of an item count for one', async (t) => {
  const draw = random(9)
  const few = Float64Array.from({ length: 100 }, () => normal(draw))
  const copies = Float64Array.from({ length: 500 }, (_, i) => few[i % 100])
  const clusters = Uint32Array.from({ length: 500 }, (_, i) => 1000 + (i % 100))
  const rounded = ({ value, low, high }: Interval) => [value, low, high].map((each) => each.toFixed(9))
  t.same(rounded(bootstrapMean(copies, { ...OPTIONS, clusters })), rounded(bootstrapMean(few, OPTIONS)))
  const alone = bootstrapMean(copies, OPTIONS)
  const together = bootstrapMean(copies, { ...OPTIONS, clusters })
  t.ok(
    (together.high - together.low) / (alone.high - alone.low) > 2,
    'each by itself they would seem five times as many'
  )
  t.same(
    bootstrap(500, (drawn) => drawn.reduce((sum, item) => sum + copies[item], 0) / drawn.length, {
      ...OPTIONS,
      clusters
    }).low.toFixed(9),
    together.low.toFixed(9),
    'whichever statistic'
  )
})

t.test('many items are drawn in groups, to the same interval', async (t) => {
  const draw = random(2)
  const values = Float64Array.from({ length: 60_000 }, () => Number(draw.uniform() < 0.3))
  const { value, low, high } = bootstrapMean(values, { ...OPTIONS, resamples: 500 })
  const error = Math.sqrt((value * (1 - value)) / 60_000)
  t.ok(
    Math.abs((high - low) / (2 * 1.96 * error) - 1) < 0.12,
    `${(high - low) / (2 * 1.96 * error)} of theory`
  )
})

t.test('measures that are drawn together have the intervals that each has by itself', async (t) => {
  const draw = random(6)
  const measures = [1, 2, 3].map((scale) => Float64Array.from({ length: 90 }, () => scale * normal(draw)))
  const clusters = Uint32Array.from({ length: 90 }, (_, i) => i % 40)
  t.same(
    bootstrapMeans(measures, { ...OPTIONS, clusters }),
    measures.map((values) => bootstrapMean(values, { ...OPTIONS, clusters }))
  )
})

t.test('medians', async (t) => {
  const values = Float64Array.of(5, 1, 3, 2)
  t.equal(bootstrapMedian(values, OPTIONS).value, 2.5)
  t.equal(bootstrapMedian(values.subarray(0, 3), OPTIONS).value, 3)
  const draw = random(4)
  const many = Float64Array.from({ length: 301 }, () => normal(draw))
  const medianOf = (drawn: Uint32Array) =>
    quantile(Float64Array.from(drawn, (item) => many[item]).sort(), 0.5)
  const [fast, plain] = [bootstrapMedian(many, OPTIONS), bootstrap(301, medianOf, OPTIONS)]
  t.equal(fast.value, plain.value)
  t.ok(Math.abs(fast.low - plain.low) < 1e-12 && Math.abs(fast.high - plain.high) < 1e-12)
})

t.test('the paired test is the exact one, as near as its permutations come', async (t) => {
  const first = Float64Array.of(1, 0, 0, 1, 0, 1, 0, 0, 0, 1)
  const second = Float64Array.of(1, 1, 1, 1, 0, 1, 1, 1, 0, 0)
  // Five items differ, four of them for the second: of 32 ways to set the signs those of 5, 4, 1 and 0 of a
  // kind are as extreme.
  const { difference, p } = pairedTest(first, second, { ...OPTIONS, resamples: 20_000 })
  t.match(difference, { value: 0.3, items: 10 })
  t.ok(difference.low < 0.3 && difference.high > 0.3)
  t.ok(Math.abs(p - 12 / 32) < 0.015, `${p}`)
  t.equal(pairedTest(first, first, OPTIONS).p, 1, 'no difference at all')
  const clear = pairedTest(new Float64Array(200), new Float64Array(200).fill(1), OPTIONS)
  t.equal(clear.p, 1 / 2001)
  t.same([clear.difference.low, clear.difference.high], [1, 1])
})

t.test('p is uniform where nothing differs', async (t) => {
  const draw = random(11)
  let below = 0
  for (let run = 0; run < 400; run++) {
    const [first, second] = [0, 1].map(() => Float64Array.from({ length: 30 }, () => normal(draw)))
    if (pairedTest(first, second, { ...OPTIONS, resamples: 300, seed: run }).p <= 0.1) below++
  }
  t.ok(below > 20 && below < 64, `${below} of 400 at 0.1`)
})

t.test('a figure says how many items it is over, and what chance gives', async (t) => {
  t.match(figure(Float64Array.of(0, 1, 1, 1), { ...OPTIONS, chance: 0.5 }), {
    value: 0.75,
    items: 4,
    chance: 0.5
  })
  t.ok(Number.isNaN(figure(new Float64Array(0), OPTIONS).value))
})
