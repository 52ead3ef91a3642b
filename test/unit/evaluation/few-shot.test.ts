import t from 'tap'
import type { TaskOptions } from '../../../src/evaluation/tasks/task.js'
import { random } from '../../../src/evaluation/statistics/statistics.js'
import {
  drawExamples,
  type FewShotInput,
  fewShotTask,
  usableClasses
} from '../../../src/evaluation/tasks/few-shot.js'

const options = { seed: 3, resamples: 200, confidence: 0.95 } as TaskOptions
const DIMENSION = 12

/**
 * Images around an axis for each class, and words that are near the same axes, or near those of the next
 * class.
 */
function input(
  counts: number[],
  { spread, wordsOf = (k: number) => k }: { spread: number; wordsOf?: (k: number) => number }
): FewShotInput {
  const { uniform } = random(7)
  const near = (k: number, noise: number) => {
    const vector = Array.from({ length: DIMENSION }, (_, d) => Number(d === k) + noise * (2 * uniform() - 1))
    const norm = Math.hypot(...vector)
    return vector.map((value) => value / norm)
  }
  const truth = Uint32Array.from(counts.flatMap((count, k) => new Array<number>(count).fill(k)))
  return {
    images: { dimension: DIMENSION, values: Float32Array.from([...truth].flatMap((k) => near(k, spread))) },
    imageIds: Array.from(truth, (_, i) => `image ${i}`),
    truth,
    template: '{label}',
    classes: counts.map((_, k) => `class ${k}`),
    words: {
      dimension: DIMENSION,
      values: Float32Array.from(counts.flatMap((_, k) => near(wordsOf(k), 0.1)))
    }
  }
}

t.test('accuracy by examples, beside zero-shot on the same images', async (t) => {
  const { report, perItem, clusters } = await fewShotTask.measure(
    input([13, 14, 12], { spread: 0.9 }),
    options
  )
  t.same(
    Object.keys(report.figures),
    [
      'few_shot.zero_shot',
      ...['linear_probe', 'linear_probe_alone', 'nearest_mean'].flatMap((name) =>
        [1, 2, 4, 8].map((count) => `few_shot.${name}@${count}`)
      )
    ],
    'as many examples as leave a third of each class'
  )
  for (const [name, { value, low, high, items, chance }] of Object.entries(report.figures)) {
    t.ok(low <= value && value <= high && chance === 1 / 3 && items <= 39, name)
    // Each draw leaves 5, 6 and 4 images.
    t.equal(perItem[name].length, 150)
    t.equal(clusters![name].length, 150)
    t.ok(Math.abs(perItem[name].reduce((sum, each) => sum + each, 0) / 150 - value) < 1e-12)
  }
  const { figures } = report
  t.ok(
    figures['few_shot.linear_probe_alone@8'].value > figures['few_shot.linear_probe_alone@1'].value,
    'more examples are better'
  )
  t.ok(
    figures['few_shot.linear_probe@1'].value > figures['few_shot.linear_probe_alone@1'].value,
    'and words that are true help one'
  )
  t.match(report.plots, [
    {
      scale: 'log',
      curves: [
        { points: [{ x: 1 }, { x: 2 }, { x: 4 }, { x: 8 }] },
        {},
        {},
        { name: 'zero-shot', points: [{ y: figures['few_shot.zero_shot'].value }, {}, {}, {}] }
      ]
    }
  ])
  const again = await fewShotTask.measure(input([13, 14, 12], { spread: 0.9 }), options)
  t.same(again.report, report, 'the same for a seed')
})

t.test('words of other classes make zero-shot wrong, and examples make up for them', async (t) => {
  const { figures } = (
    await fewShotTask.measure(input([12, 12, 12], { spread: 0.4, wordsOf: (k) => (k + 1) % 3 }), options)
  ).report
  t.ok(figures['few_shot.zero_shot'].value < 0.2)
  t.ok(figures['few_shot.linear_probe@8'].value > 0.9)
  t.ok(figures['few_shot.nearest_mean@8'].value > 0.9)
})

t.test('classes of too few images are left out, and said', async (t) => {
  const { report } = await fewShotTask.measure(input([6, 2, 6, 1], { spread: 0.3 }), options)
  t.match(report.flags, [{ code: 'some_classes', message: /^2 of 4 classes/ }])
  t.equal(report.figures['few_shot.linear_probe@4'].chance, 0.5)
  const none = (await fewShotTask.measure(input([6, 2], { spread: 0.3 }), options)).report
  t.match(none, { figures: {}, flags: [{ level: 'warning', code: 'too_few_images' }] })
  const truth = Uint32Array.from({ length: 300 }, (_, i) => i % 60)
  t.match(usableClasses(truth, { most: 50, seed: 0 }), { chosen: { length: 50 }, shots: [1, 2] })
})

t.test('no image is an example and tested in one draw', async (t) => {
  const truth = Uint32Array.from({ length: 40 }, (_, i) => i % 4)
  const draws = drawExamples(truth, { chosen: [1, 3], shots: [1, 2, 4], draws: 5, seed: 1 })
  for (const { examples, test } of draws) {
    t.same(
      examples.map(({ length }) => length),
      [4, 4]
    )
    t.same(
      [...examples.flat(), ...test].sort((a, b) => a - b),
      [...truth.keys()].filter((i) => truth[i] % 2 === 1)
    )
    t.ok(examples.every((own, k) => own.every((image) => truth[image] === [1, 3][k])))
  }
  t.notSame(draws[0].examples, draws[1].examples)
})
