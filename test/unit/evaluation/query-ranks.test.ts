import t from 'tap'
import {
  averagePrecision,
  expectedRank,
  harmonicNumbers,
  rankQueries,
  recallAt
} from '../../../src/evaluation/statistics/query-ranks.js'
import { random } from '../../../src/evaluation/statistics/statistics.js'

/** All orders of a list. */
function* orders<T>(list: T[]): Generator<T[]> {
  if (list.length < 2) yield list
  for (const [i, one] of list.entries())
    if (list.length > 1) for (const rest of orders(list.toSpliced(i, 1))) yield [one, ...rest]
}

/** The measures of one query, as the mean over all orders of candidates that score the same. */
function byEnumeration(candidates: { score: number; isRight: boolean }[]) {
  const sums = { rank: 0, precision: 0, recalls: candidates.map(() => 0) }
  let count = 0
  for (const order of orders(candidates)) {
    if (order.some(({ score }, i) => i > 0 && score > order[i - 1].score)) continue
    count++
    const places = order.flatMap(({ isRight }, i) => (isRight ? [i + 1] : []))
    sums.rank += places[0]
    sums.precision += places.reduce((sum, place, i) => sum + (i + 1) / place, 0) / places.length
    sums.recalls.forEach((_, i) => (sums.recalls[i] += Number(places[0] <= i + 1)))
  }
  return {
    rank: sums.rank / count,
    precision: sums.precision / count,
    recalls: sums.recalls.map((sum) => sum / count)
  }
}

const near = (a: number, b: number) => Math.abs(a - b) < 1e-12

t.test('with ties all measures are the mean over all orders', async (t) => {
  const draw = random(8)
  for (let run = 0; run < 40; run++) {
    const candidates = Array.from({ length: 6 }, () => ({
      score: draw.int(3),
      isRight: draw.uniform() < 0.4
    }))
    candidates[0].isRight = true
    const right = candidates.filter(({ isRight }) => isRight)
    const scores = Float64Array.from(right, ({ score }) => score)
    const standing = {
      ahead: scores.map((own) => candidates.filter(({ score }) => score > own).length),
      tied: scores.map((own) => candidates.filter(({ score }) => score === own).length)
    }
    const rank = rankQueries(new Uint32Array(right.length).fill(5), {
      scores,
      standing,
      harmonic: harmonicNumbers(6)
    }).get(5)!
    const expected = byEnumeration(candidates)
    t.ok(
      near(expectedRank(rank), expected.rank) && near(rank.averagePrecision, expected.precision),
      JSON.stringify(candidates)
    )
    t.ok(expected.recalls.every((recall, i) => near(recallAt(i + 1, rank), recall)))
  }
})

t.test('where all score the same it is chance, of any size', async (t) => {
  t.ok(near(recallAt(10, { ahead: 0, tiedWrong: 999, tiedRight: 1 }), 0.01))
  t.equal(recallAt(10, { ahead: 10, tiedWrong: 0, tiedRight: 1 }), 0)
  t.equal(recallAt(10, { ahead: 9, tiedWrong: 0, tiedRight: 1 }), 1)
  const harmonic = harmonicNumbers(100_000)
  t.ok(near(averagePrecision([{ score: 0, ahead: 0, tied: 100_000 }], harmonic), harmonic[100_000] / 100_000))
})
