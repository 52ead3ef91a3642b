import t from 'tap'
import { bestMatches, openDotProducts, rankPairs } from '../../../src/evaluation/statistics/rank-pairs.js'
import { openCandidates } from '../../../src/evaluation/statistics/candidates.js'
import { openMatrix } from '../../../src/evaluation/statistics/matrix.js'
import { random } from '../../../src/evaluation/statistics/statistics.js'

/** Rows of small whole numbers, so that many are equal and many score the same, or of any numbers. */
function rows(
  count: number,
  { seed, dimension, isWhole }: { seed: number; dimension: number; isWhole: boolean }
) {
  const draw = random(seed)
  const value = () => (isWhole ? draw.int(3) - 1 : draw.uniform() - 0.5)
  const values = new Float32Array(new SharedArrayBuffer(4 * count * dimension))
  for (let i = 0; i < values.length; i++) values[i] = value()
  // A row of zeros has no direction.
  if (isWhole) for (let row = 0; row < count; row++) values[row * dimension] = 1
  return openMatrix({ dimension, values })
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

t.test('dot products as a loop has them, of any number of rows and from shared memory', async (t) => {
  const { dotProducts, close } = await openDotProducts(5)
  t.teardown(close)
  for (const [m, n] of [
    [7, 3],
    [1, 1],
    [30, 40],
    [2, 9]
  ]) {
    const [a, b] = [
      [m, 1],
      [n, 2]
    ].map(([count, seed]) => rows(count, { seed, dimension: 5, isWhole: false }).read(0, count))
    const scores = await dotProducts(a, b)
    t.equal(scores.length, m * n)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        if (
          Math.abs(scores[i * n + j] - dot(a.subarray(i * 5, i * 5 + 5), b.subarray(j * 5, j * 5 + 5))) > 1e-6
        )
          t.fail(`${m} by ${n}: ${i}, ${j}`)
  }
})

for (const { isWhole, dimension } of [
  { isWhole: true, dimension: 3 },
  { isWhole: true, dimension: 6 },
  { isWhole: false, dimension: 8 }
]) {
  t.test(
    `pairs stand as counting in float64 has it, across blocks: ${isWhole ? 'with ties' : 'without'}, ` +
      `${dimension} dimensions`,
    async (t) => {
      const [images, captions] = [
        rows(2100, { seed: 1, dimension, isWhole }),
        rows(4200, { seed: 2, dimension, isWhole })
      ]
      const draw = random(3)
      // An image has some captions or none, and a caption some images.
      const drawn = Array.from({ length: 300 }, () => [draw.int(4200), draw.int(2100)])
      const pairs = {
        captions: Uint32Array.from(drawn, ([caption]) => caption),
        images: Uint32Array.from(drawn, ([, image]) => image)
      }
      const weights = Uint8Array.from({ length: 2100 }, () => Number(draw.uniform() < 0.9))
      const ranked = await rankPairs(openCandidates(captions), openCandidates(images, weights), pairs)
      const row = (matrix: typeof images, at: number) => matrix.read(at, at + 1).slice()
      let odd = 0
      for (const [pair, [caption, image]] of drawn.entries()) {
        const own = dot(row(captions, caption), row(images, image))
        const [text, picture] = [row(captions, caption), row(images, image)]
        const count = (matrix: typeof images, query: Float32Array, weight: (at: number) => number) => {
          let [ahead, tied] = [0, 0]
          const all = matrix.read(0, matrix.rows)
          for (let at = 0; at < matrix.rows; at++) {
            const score = dot(all.subarray(at * dimension, (at + 1) * dimension), query)
            if (score > own) ahead += weight(at)
            else if (score === own) tied += weight(at)
          }
          return [ahead, tied]
        }
        const expected = [
          own,
          ...count(images, text, (at) => weights[at]),
          ...count(captions, picture, () => 1)
        ]
        const found = [
          ranked.scores[pair],
          ranked.amongImages.ahead[pair],
          ranked.amongImages.tied[pair],
          ranked.amongCaptions.ahead[pair],
          ranked.amongCaptions.tied[pair]
        ]
        if (found.some((value, i) => value !== expected[i])) odd++
      }
      t.equal(odd, 0)
    }
  )
}

t.test('the best matches come best first, equal rows once', async (t) => {
  const candidates = openCandidates(
    openMatrix({ dimension: 2, values: Float32Array.of(1, 0, 0, 1, 1, 0, 0.6, 0.8, -1, 0) })
  )
  const queries = openCandidates(openMatrix({ dimension: 2, values: Float32Array.of(1, 0, 0, 1) }))
  const found = await bestMatches({ candidates: queries, rows: [1, 0] }, candidates, 3)
  t.same(
    found.map((list) => list.map(({ row, score }) => [row, Math.round(score * 10) / 10])),
    [
      [
        [1, 1],
        [3, 0.8],
        [0, 0]
      ],
      [
        [0, 1],
        [3, 0.6],
        [1, 0]
      ]
    ]
  )
})
