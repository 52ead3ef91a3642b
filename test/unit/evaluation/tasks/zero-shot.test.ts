import t, { type Test } from 'tap'
import type { LoadedDataset } from '../../../../src/evaluation/datasets/dataset.js'
import {
  aurocInfluences,
  calibrationError,
  meanPerClass
} from '../../../../src/evaluation/tasks/classification.js'
import { zeroShotTask } from '../../../../src/evaluation/tasks/zero-shot.js'
import { few, handMade, image, valuesOf } from '../../../fixtures/hand-made.js'

const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const oneHot = (letter: string) => letters.map((other) => Number(other === letter))

/** A dataset of images whose ids begin with the letter that a perfect model sees. */
function classes(labels: string[]): LoadedDataset {
  return {
    name: 'letters',
    format: 'classes',
    kind: 'classes',
    faults: [],
    items: labels.map((label, i) => ({ id: `${i}`, image: image(`${label}${i}`), label }))
  }
}

async function zeroShot(dataset: LoadedDataset, embedder: Parameters<typeof handMade>[0], options = few) {
  const input = await zeroShotTask.prepare(dataset, { embedder: handMade(embedder), options })
  const { report, perItem } = await zeroShotTask.measure(input, options)
  return { report, perItem, values: valuesOf(report) }
}

const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length
const near = (t: Test, found: number, wanted: number, message: string) =>
  t.ok(Math.abs(found - wanted) < 1e-6, `${message}: ${found}, not ${wanted}`)

t.test('a model that knows all labels, one that knows none, and one that is wrong', async (t) => {
  const dataset = classes(['a', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'h'])
  const perfect = await zeroShot(dataset, { image: ([letter]) => oneHot(letter), text: oneHot })
  t.match(perfect.values, {
    'zero_shot.top1': 1,
    'zero_shot.top5': 1,
    'zero_shot.mean_per_class': 1,
    'zero_shot.auroc': 1
  })
  t.same(perfect.report.confusion, {
    labels: letters,
    counts: letters.map((letter, i) => letters.map((_, j) => (i === j ? ('ah'.includes(letter) ? 2 : 1) : 0)))
  })
  t.same(perfect.report.worst?.[0].queries, [])
  // Logits are 1 and seven times 0.
  near(t, perfect.values['zero_shot.ece'], 1 - Math.E / (Math.E + 7), 'underconfident')

  const constant = await zeroShot(dataset, { image: () => [1, 0], text: () => [1, 0] })
  t.match(
    constant.values,
    {
      'zero_shot.top1': 1 / 8,
      'zero_shot.top5': 5 / 8,
      'zero_shot.mean_per_class': 1 / 8,
      'zero_shot.auroc': 0.5
    },
    'it is as good as guessing'
  )
  t.match(
    [constant.report.figures['zero_shot.top1'].chance, constant.report.figures['zero_shot.top5'].chance],
    [1 / 8, 5 / 8]
  )
  near(t, constant.values['zero_shot.ece'], 0, 'and says so')

  const shifted = await zeroShot(dataset, {
    image: ([letter]) => oneHot(letters[(letters.indexOf(letter) + 1) % 8]),
    text: oneHot
  })
  t.equal(shifted.values['zero_shot.top1'], 0)
  t.equal(shifted.report.worst?.[0].queries.length, 10)
  t.match(shifted.report.worst?.[0].queries[0], {
    query: { image: 'a0' },
    expected: [{ text: 'a' }],
    returned: [{ shown: { text: 'b' } }],
    rank: 2
  })
})

t.test('classes of different size', async (t) => {
  const dataset = classes(['a', 'a', 'a', 'b'])
  const always = await zeroShot(dataset, { image: () => oneHot('a'), text: oneHot })
  t.match(always.values, { 'zero_shot.top1': 0.75, 'zero_shot.mean_per_class': 0.5 })
  t.notOk('zero_shot.top5' in always.values, 'five of two labels are no measure')
  near(
    t,
    mean(always.perItem['zero_shot.mean_per_class']),
    0.5,
    'values of items have the figure as their mean'
  )
  t.match(
    (always.report.details?.perClass as object[]).map((own) => own),
    [
      { label: 'a', value: 1, items: 3 },
      { label: 'b', value: 0, items: 1 }
    ]
  )
  const one = await zeroShot(classes(['a', 'a']), { image: () => oneHot('a'), text: oneHot })
  t.match(one.report.flags, [{ level: 'warning', code: 'ONE_CLASS' }])
  t.notOk('zero_shot.auroc' in one.values)
})

t.test('templates: sets by name, own ones, and what their ensemble has over each of them', async (t) => {
  // 'bad b' ties with a for images of a; the mean of the prompts is right.
  const text = (prompt: string) => (prompt === 'bad b' ? [1, 0.1] : prompt.endsWith('a') ? [1, 0] : [0, 1])
  const dataset = classes(['a', 'b'])
  const { report, values } = await zeroShot(
    dataset,
    { image: ([letter]) => oneHot(letter).slice(0, 2), text },
    { ...few, templates: ['good {label}', 'bad {label}', 'imagenet-7'] }
  )
  t.match(report.details?.templates, {
    zero_shot: ['{label}'],
    'zero_shot[own]': ['good {label}', 'bad {label}']
  })
  t.equal((report.details?.templates as Record<string, string[]>)['zero_shot[imagenet-7]'].length, 7)
  t.match(values, {
    'zero_shot[own].top1': 1,
    'zero_shot[own].top1_single_template': 0.875,
    'zero_shot[own].ensembling_gain': 0.125
  })
  const worse = (prompt: string) => (prompt === 'bad b' ? [1, -0.5] : text(prompt))
  const bad = await zeroShot(
    dataset,
    { image: ([letter]) => oneHot(letter).slice(0, 2), text: worse },
    { ...few, templates: ['good {label}', 'bad {label}'] }
  )
  t.match(bad.values, {
    'zero_shot[own].top1': 1,
    'zero_shot[own].top1_single_template': 0.625,
    'zero_shot[own].ensembling_gain': 0.375
  })
  await t.rejects(zeroShot(dataset, { image: () => [1], text: () => [1] }, { ...few, templates: ['none'] }), {
    code: 'TEMPLATE_INVALID'
  })
})

t.test('a sigmoid model is as sure as its scale and bias say; without a scale nothing is said', async (t) => {
  const dataset = classes(['a', 'b'])
  const towers = { image: ([letter]: string) => oneHot(letter), text: oneHot }
  const { values } = await zeroShot(dataset, {
    ...towers,
    zeroShot: { activation: 'sigmoid', logitScale: 4, logitBias: -2 }
  })
  near(t, values['zero_shot.ece'], 1 - 1 / (1 + Math.exp(-2)), 'sigmoid of 4 * 1 - 2')
  const silent = await zeroShot(dataset, { ...towers, zeroShot: { logitScale: undefined } })
  t.equal(silent.values['zero_shot.top1'], 1)
  t.notOk('zero_shot.ece' in silent.values)
  t.match(silent.report.flags, [{ level: 'note', code: 'NO_LOGIT_SCALE' }])
})

t.test('calibration error over 15 bins, open below', async (t) => {
  const all = Uint32Array.of(0, 1, 2, 3)
  // 1/15 and 0.05 are in the first bin, the others in the last.
  const error = calibrationError(Float64Array.of(1 / 15, 0.05, 0.95, 1), Float64Array.of(0, 1, 1, 0))
  near(t, error(all), (Math.abs(1 - 1 / 15 - 0.05) + Math.abs(1 - 1.95)) / 4, 'two bins')
  near(t, error(Uint32Array.of(2, 2)), 0.05, 'of a draw')
})

t.test('AUROC by influences is the share of pairs in order, ties half', async (t) => {
  const scores = Float64Array.of(0.1, 0.4, 0.4, 0.8, 0.4, 0.9)
  const positive = [false, true, false, true, true, false]
  let share = 0
  for (const i of [1, 3, 4])
    for (const j of [0, 2, 5]) share += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0
  near(t, mean(aurocInfluences(scores, (i) => positive[i])!), share / 9, 'with ties')
  t.equal(
    aurocInfluences(scores, () => true),
    undefined
  )
})

t.test('the mean per class of a draw leaves out classes that are not drawn', async (t) => {
  const { statistic } = meanPerClass(Float64Array.of(1, 0, 1), Uint32Array.of(0, 0, 2), 3)
  t.equal(statistic(Uint32Array.of(0, 1, 2)), 0.75)
  t.equal(statistic(Uint32Array.of(2, 2, 2)), 1)
})
