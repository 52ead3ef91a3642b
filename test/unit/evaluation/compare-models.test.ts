import t from 'tap'
import { compareModels, pairedMedianTest } from '../../../src/evaluation/statistics/compare-models.js'
import type { TaskResult } from '../../../src/evaluation/report.js'
import { bootstrap, quantile, random } from '../../../src/evaluation/statistics/statistics.js'

const options = { seed: 1, resamples: 500, confidence: 0.95 }
const figure = (value: number) => ({ value, low: value, high: value, items: 0 })
const result = (figures: Record<string, number>, perItem: Record<string, number[]>): TaskResult => ({
  report: {
    task: 'retrieval',
    figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, figure(value)])),
    flags: [],
    method: []
  },
  perItem: Object.fromEntries(
    Object.entries(perItem).map(([name, values]) => [name, Float64Array.from(values)])
  )
})

t.test(
  'figures that both have are compared item by item: means by their mean difference, medians by that ' +
    'of the medians',
  (t) => {
    const ranks = Array.from({ length: 101 }, (_, i) => i + 1)
    const first = result(
      { 'a.recall@1': 0.5, 'a.median_rank': 51 },
      { 'a.recall@1': ranks.map((i) => i % 2), 'a.median_rank': ranks, 'a.own': ranks }
    )
    const second = result(
      { 'a.recall@1': 1, 'a.median_rank': 26 },
      {
        'a.recall@1': ranks.map(() => 1),
        'a.median_rank': ranks.map((rank) => (rank > 90 ? 100_000 : rank / 2))
      }
    )
    const [recall, rank, ...others] = compareModels({ first, second, options })
    t.same(others, [], 'what one of them lacks is not compared')
    t.match(recall, { task: 'retrieval', figure: 'a.recall@1', first: 0.5, second: 1, p: 1 / 501 })
    t.ok(
      Math.abs(recall.difference.value - 50 / 101) < 1e-12 &&
        recall.difference.low > 0.35 &&
        recall.difference.high < 0.65
    )
    t.match(rank, {
      figure: 'a.median_rank',
      first: 51,
      second: 26,
      difference: { value: -25.5, items: 101 }
    })
    t.ok(
      rank.difference.low < -18 && rank.difference.high < -15 && rank.p < 0.05,
      `${rank.difference.low} to ${rank.difference.high}, p ${rank.p}`
    )
    const same = compareModels({ first: second, second, options })
    t.same(
      same.map(({ difference: { value, low, high }, p }) => [value, low, high, p]),
      [
        [0, 0, 0, 1],
        [0, 0, 0, 1]
      ]
    )
    t.end()
  }
)

t.test('medians of draws and of swaps are those of sorting each', (t) => {
  const { int, uniform } = random(3)
  const median = (values: number[]) => quantile(Float64Array.from(values).sort(), 0.5)
  for (const size of [40, 41]) {
    const first = Float64Array.from({ length: size }, () => int(12))
    const second = first.map((value) => value + int(4) - 1)
    for (const clusters of [undefined, Uint32Array.from({ length: size }, () => int(15))]) {
      const { difference, p } = pairedMedianTest(first, second, { ...options, clusters })
      const { value, low, high } = bootstrap(
        size,
        (draw) => median([...draw].map((i) => second[i])) - median([...draw].map((i) => first[i])),
        { ...options, clusters }
      )
      t.match(difference, { value, low, high, items: size })
      let extreme = 0
      for (let i = 0; i < 4000; i++) {
        const swaps = Array.from({ length: size }, () => uniform() < 0.5)
        const side = (which: boolean) =>
          median(
            [...first.keys()].map(
              (item) => (swaps[clusters?.[item] ?? item] === which ? first : second)[item]
            )
          )
        if (Math.abs(side(true) - side(false)) >= Math.abs(value)) extreme++
      }
      t.ok(Math.abs(p - extreme / 4000) < 0.08, `${p}, ${extreme / 4000}`)
    }
  }
  t.end()
})
