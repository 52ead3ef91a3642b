import t from 'tap'
import { openClassifiers } from '../../../src/classifiers/classifiers.js'
import {
  crossValidate,
  stratifiedFolds,
  type Method,
  type TrainingSet
} from '../../../src/classifiers/cross-validation.js'
import { collectExamples } from '../../../src/classifiers/examples.js'
import { features, layoutOf, writeFeatures, type Input } from '../../../src/classifiers/features.js'
import { best, linearClassifier } from '../../../src/classifiers/linear-classifier.js'
import { auroc, qualityOf } from '../../../src/classifiers/quality.js'
import { trainClassifier } from '../../../src/classifiers/train-classifier.js'
import { toAnchors, toTrainingSet } from '../../../src/classifiers/training-set.js'
import type { Collection } from '../../../src/collections/collection.js'
import { openStore } from '../../../src/collections/open-store.js'
import { random } from '../../../src/evaluation/statistics/statistics.js'
import { JsonText } from '../../../src/json/json-text.js'

const { uniform } = random(1)

/** A vector of length 1 near a direction. */
function near(direction: number[], spread: number): Float32Array {
  const vector = direction.map((value) => value + spread * (2 * uniform() - 1))
  const norm = Math.hypot(...vector)
  return Float32Array.from(vector, (value) => value / norm)
}

const axis = (k: number, dimension: number) => Array.from({ length: dimension }, (_, d) => Number(d === k))

/** So many images of each class, around an axis of its own. */
function clusters(
  counts: number[],
  { spread, dimension = counts.length }: { spread: number; dimension?: number }
) {
  return counts.flatMap((count, k) =>
    Array.from({ length: count }, () => ({
      label: `class ${String(k).padStart(2, '0')}`,
      input: { image: near(axis(k, dimension), spread) }
    }))
  )
}

for (const method of ['linear-probe', 'nearest-class-mean'] as const) {
  t.test(`${method}: separable, noisy, uneven and many classes`, async (t) => {
    const accuracy = (counts: number[], spread: number) =>
      trainClassifier(toTrainingSet(clusters(counts, { spread }), counts.length).set, { method, seed: 0 })
        .validation!
    t.equal(accuracy([10, 10], 0.3).accuracy.value, 1)
    t.equal(accuracy(new Array(50).fill(3), 0.05).accuracy.value, 1)
    const noisy = accuracy([40, 40, 40], 1.5)
    t.ok(noisy.accuracy.value > 0.45 && noisy.accuracy.value < 1, `${noisy.accuracy.value} of noisy ones`)
    t.ok(
      noisy.accuracy.low < noisy.accuracy.value &&
        noisy.accuracy.high > noisy.accuracy.value &&
        noisy.auroc! > 0.6
    )
    const uneven = accuracy([60, 5], 0.3)
    t.ok(uneven.auroc! > 0.98, `AUROC ${uneven.auroc}`)
    t.match(uneven, { folds: 5, examples: 65 })
  })
}

t.test('labels that say nothing give accuracies of chance', async (t) => {
  const examples = Array.from({ length: 120 }, (_, i) => ({
    label: String(i % 3),
    input: { image: near(axis(0, 16), 1) }
  }))
  const { validation } = trainClassifier(toTrainingSet(examples, 16).set, { method: 'linear-probe', seed: 0 })
  t.ok(
    validation!.accuracy.value > 0.15 && validation!.accuracy.value < 0.52,
    String(validation!.accuracy.value)
  )
})

t.test('folds: of one size, each class spread over them, the same for a seed', async (t) => {
  const labels = Uint32Array.from({ length: 63 }, (_, i) => (i < 40 ? 0 : i < 62 ? 1 : 2))
  const folds = stratifiedFolds(labels, { seed: 5 })
  t.same(folds, stratifiedFolds(labels, { seed: 5 }))
  t.notSame(folds, stratifiedFolds(labels, { seed: 6 }))
  const sizes = (label: number) =>
    [0, 1, 2, 3, 4].map((fold) => folds.filter((each, i) => each === fold && labels[i] === label).length)
  t.same(sizes(0), [8, 8, 8, 8, 8])
  t.same(sizes(1).sort(), [4, 4, 4, 5, 5])
  t.equal(folds[62], -1, 'the only one of a class is in none')
  t.same(
    [...stratifiedFolds(Uint32Array.of(0, 0, 0, 1, 1), { seed: 0 })].sort(),
    [0, 1, 2, 3, 4],
    'few are held out one by one'
  )
  t.same(new Set(stratifiedFolds(labels, { seed: 0, folds: 2 })), new Set([-1, 0, 1]))
  t.same(stratifiedFolds(Uint32Array.of(0, 1), { seed: 0 }), Int32Array.of(-1, -1))
})

t.test('AUROC is the part of pairs in order, ties counting half', async (t) => {
  t.equal(auroc([0.1, 0.4, 0.35, 0.8], [false, false, true, true]), 0.75)
  t.equal(auroc([1, 1, 1, 1], [true, false, true, false]), 0.5)
  t.equal(auroc([3, 2, 1], [true, false, false]), 1)
  t.equal(auroc([3, 2], [true, true]), null)
  const scores = Array.from({ length: 60 }, () => Math.floor(6 * uniform()))
  const truth = scores.map((score) => score + 6 * uniform() > 5)
  let [pairs, ordered] = [0, 0]
  scores.forEach((positive, i) =>
    scores.forEach((negative, j) => {
      if (!truth[i] || truth[j]) return
      pairs++
      ordered += positive > negative ? 1 : positive === negative ? 0.5 : 0
    })
  )
  t.ok(Math.abs(auroc(scores, truth)! - ordered / pairs) < 1e-12)
  const {
    accuracy,
    confusion,
    auroc: macro
  } = qualityOf(Float64Array.of(0.9, 0.1, 0.2, 0.8, 0.6, 0.4), [0, 1, 1], { classes: 2, seed: 0 })
  t.same(
    [accuracy.value, confusion, macro],
    [
      2 / 3,
      [
        [1, 0],
        [1, 1]
      ],
      1
    ]
  )
})

t.test('scores of several classifiers are not compared in the AUROC', async (t) => {
  // Each fold puts the right one first, and the second fold's scores lie above those of the first.
  const scores = Float64Array.of(0.6, 0.4, 0.5, 0.5, 0.9, 0.1, 0.8, 0.2)
  const quality = (folds?: Int32Array) =>
    qualityOf(scores, [0, 1, 0, 1], { classes: 2, seed: 0, folds }).auroc
  t.equal(quality(Int32Array.of(0, 0, 1, 1)), 1)
  t.equal(quality(), 0.75)
  t.equal(quality(Int32Array.of(0, 1, 2, 3)), null)
  const { set } = toTrainingSet(clusters([6, 6], { spread: 0.3 }), 2)
  t.equal(
    trainClassifier(set, { method: 'linear-probe', seed: 0 }).validation!.auroc,
    null,
    'left out one by one'
  )
  t.equal(trainClassifier(set, { method: 'linear-probe', seed: 0, folds: 3 }).validation!.auroc, 1)
})

t.test('with and without the words of the labels each has the setting that is best for it', async (t) => {
  const labels = Uint32Array.from({ length: 10 }, (_, i) => i % 2)
  const rows = { values: Float32Array.from(labels, (label) => 2 * label - 1), dimension: 1 }
  const sets: TrainingSet[] = [
    { rows, labels, classes: 2, anchors: { values: Float32Array.of(-1, 1), dimension: 1 } },
    { rows, labels, classes: 2 }
  ]
  // Eight are trained with, and with the words ten.
  const weight = (setting: number, count: number) => (count === 10 ? [1, -1] : [-1, 2])[setting]
  const method: Method = {
    settings: [0, 1],
    fit: (_, { length }, { setting }) =>
      linearClassifier(
        Float64Array.of(-weight(setting, length), weight(setting, length)),
        new Float64Array(2)
      )
  }
  t.match(
    crossValidate(sets, stratifiedFolds(labels, { seed: 0, folds: 5 }), method),
    { chosen: 1, setting: 1 },
    'with the setting of the words there were no choice'
  )
})

t.test('what was best by chance is not measured by that chance', async (t) => {
  const size = 30
  let right = 0
  for (let run = 0; run < 40; run++) {
    const labels = Uint32Array.from({ length: size }, (_, i) => i % 2)
    // A row of its own for each example, so that each setting guesses again.
    const rows = {
      values: Float32Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0)),
      dimension: size
    }
    const guesses = Array.from({ length: 50 }, () =>
      Float64Array.from({ length: size }, () => (uniform() < 0.5 ? 1 : -1))
    )
    const method: Method = {
      settings: [...guesses.keys()],
      fit: (_, __, { setting }) =>
        linearClassifier(
          Float64Array.of(...guesses[setting], ...guesses[setting].map((value) => -value)),
          new Float64Array(2)
        )
    }
    const { scores, examples } = crossValidate(
      [{ rows, labels, classes: 2 }],
      stratifiedFolds(labels, { seed: run, folds: 5 }),
      method
    )
    right +=
      examples.filter((i, at) => best(scores.subarray(2 * at, 2 * at + 2)) === labels[i]).length / size / 40
  }
  t.ok(Math.abs(right - 0.5) < 0.05, `${right} of guesses are right`)
})

t.test('a label that depends on image and text together is told by their product', async (t) => {
  const dimension = 8
  const sign = (positive: boolean) => axis(0, dimension).map((value) => (positive ? value : -value))
  const draw = () => {
    const [first, second] = [uniform() < 0.5, uniform() < 0.5]
    return {
      label: first === second ? 'same' : 'other',
      input: { image: near(sign(first), 0.3), text: near(sign(second), 0.3) } as Input
    }
  }
  const examples = Array.from({ length: 80 }, draw)
  const { set, layout } = toTrainingSet(examples, dimension)
  t.equal(layout, 'image+text')
  const { classifier, validation } = trainClassifier(set, { method: 'linear-probe', seed: 0 })
  t.ok(validation!.accuracy.value > 0.95, String(validation!.accuracy.value))
  const right = Array.from({ length: 200 }, draw).filter(
    ({ label, input }) => ['other', 'same'][best(classifier.scores(features(input, layout)))] === label
  )
  t.ok(right.length > 190, `${right.length} of 200 new ones`)
  const blind = trainClassifier(
    toTrainingSet(
      examples.map(({ label, input: { image } }) => ({ label, input: { image } })),
      dimension
    ).set,
    { method: 'linear-probe', seed: 0 }
  )
  t.ok(blind.validation!.accuracy.value < 0.7, 'which the image alone does not tell')
  for (const input of [{ image: examples[0].input.image }, { text: examples[0].input.text }]) {
    const scores = classifier.scores(features(input, layout))
    t.ok(
      Math.abs(scores[0] + scores[1] - 1) < 1e-12 && scores.every(Number.isFinite),
      'either alone gets an answer'
    )
  }
})

t.test('what an input has not is told by what it has', async (t) => {
  const examples = clusters([12, 12], { spread: 0.4, dimension: 6 }).map(
    ({ label, input: { image } }, i) => ({
      label,
      input: (i % 3 === 0 ? { image } : i % 3 === 1 ? { text: image } : { image, text: image }) as Input
    })
  )
  const { set, layout } = toTrainingSet(examples, 6)
  t.ok(trainClassifier(set, { method: 'linear-probe', seed: 0 }).validation!.accuracy.value > 0.9)
  t.equal(layout, 'image+text')
  const row = new Float32Array(18)
  for (const { input } of examples.slice(0, 3)) {
    writeFeatures(input, layout, row)
    t.ok(Math.abs(Math.hypot(...row) - 1) < 1e-6, 'all rows have one length')
  }
  t.equal(layoutOf([{ image: row }]), 'image')
  t.equal(layoutOf([{ text: row }]), 'text')
})

t.test('the words of labels help where examples are few, and are left where they mislead', async (t) => {
  const dimension = 20
  const test = clusters([200, 200], { spread: 0.9, dimension })
  const accuracy = (set: TrainingSet, prior: boolean | 'auto') => {
    const { classifier } = trainClassifier(set, { method: 'linear-probe', seed: 0, prior })
    return (
      test.filter(({ label, input }) => `class 0${best(classifier.scores(input.image))}` === label).length /
      test.length
    )
  }
  const words = (order: number[]) =>
    toAnchors(
      order.map((k) => near(axis(k, dimension), 0.1)),
      'image'
    )
  const few = toTrainingSet(clusters([1, 1], { spread: 0.9, dimension }), dimension).set
  const [without, withWords] = [accuracy(few, false), accuracy({ ...few, anchors: words([0, 1]) }, true)]
  t.ok(withWords > without, `${withWords} with words, ${without} without`)
  const many = toTrainingSet(clusters([12, 12], { spread: 0.9, dimension }), dimension).set
  t.equal(
    trainClassifier({ ...many, anchors: words([1, 0]) }, { method: 'linear-probe', seed: 0, prior: 'auto' })
      .prior,
    false,
    'words of the wrong class'
  )
  t.equal(
    trainClassifier({ ...few, anchors: words([0, 1]) }, { method: 'linear-probe', seed: 0, prior: 'auto' })
      .prior,
    true,
    'nothing speaks against them'
  )
})

t.test('examples that no classifier can be made of', async (t) => {
  const example = (label: string) => ({ label, input: { image: new Float32Array(2) } })
  const refused = (examples: ReturnType<typeof example>[], message: RegExp, dimension = 2) =>
    t.throws(() => toTrainingSet(examples, dimension), { code: 'EXAMPLES_INVALID', message })
  refused([example('a'), example('a')], /the label 'a'/)
  refused(
    Array.from({ length: 1001 }, (_, i) => example(String(i))),
    /1001 labels; at most 1000/
  )
  refused(
    Array.from({ length: 1000 }, (_, i) => example(String(i % 300))),
    /features times labels/,
    1000
  )
  refused(
    Array.from({ length: 20_000 }, (_, i) => example(String(i % 2))),
    /Examples times features are/,
    2000
  )
})

t.test('of very many examples a sample is held out, and all are trained with', async (t) => {
  const { set } = toTrainingSet(clusters([9000, 3000, 2, 1], { spread: 0.3, dimension: 128 }), 128)
  let passes = 0
  const { validation, classifier } = trainClassifier(set, {
    method: 'nearest-class-mean',
    seed: 0,
    onPass: () => void passes++
  })
  t.ok(validation!.examples < 12_000 && validation!.examples > 6000, `${validation!.examples} held out`)
  t.ok(validation!.accuracy.value > 0.99)
  t.equal(classifier.classes, 4)
  t.ok(passes > 1)
})

t.test(
  'of many classes validation takes no longer than training: fewer folds, one setting, and the pairs ' +
    'that are confused most',
  (t) => {
    const { set } = toTrainingSet(
      Array.from({ length: 1200 }, (_, i) => ({
        label: `class ${i >> 1}`,
        input: { image: near(axis(i % 64, 64), 0.9) }
      })),
      64
    )
    const { validation, setting } = trainClassifier(set, { method: 'nearest-class-mean', folds: 20, seed: 0 })
    t.match(validation, { folds: 2, confusion: null })
    t.equal(setting, 10)
    const { confused } = validation!
    t.equal(confused!.length, 100)
    t.ok(
      confused!.every(
        ({ actual, predicted, count }, i) =>
          actual !== predicted && count >= 1 && (i === 0 || count <= confused![i - 1].count)
      )
    )
    t.match(
      trainClassifier(toTrainingSet(clusters([30, 30], { spread: 0.3 }), 2).set, {
        method: 'linear-probe',
        folds: 20,
        seed: 0
      }).validation,
      { folds: 20, confusion: Array },
      'few have all that are asked for'
    )
    t.end()
  }
)

t.test('examples are counted as they are collected', async (t) => {
  let pages = 0
  const list = async () => {
    pages++
    return Array.from({ length: 1000 }, (_, i) => ({
      id: `${pages}-${i}`,
      metadata: new JsonText(Buffer.from(`{"kind":"k${i % 2}"}`)),
      modalities: ['image']
    }))
  }
  const collection = { list, settings: { name: 'endless' } } as unknown as Collection
  const callOptions = { signal: new AbortController().signal, lane: 'bulk' } as Parameters<
    typeof collectExamples
  >[2]
  await t.rejects(
    collectExamples(collection, { field: 'kind', modalities: ['image'], seed: 0 }, callOptions),
    { code: 'EXAMPLES_INVALID', message: /100000/ }
  )
  t.equal(pages, 101)
})

t.test(
  'a training has its place before its examples are there, and keeps it until its thread has ended',
  async (t) => {
    const store = await openStore({ dataDir: t.testdir() })
    const classifiers = await openClassifiers(store.classifiers)
    t.teardown(async () => {
      await classifiers.close()
      await store.close()
    })
    let go = () => undefined as void
    const isThere = new Promise<void>((resolve) => (go = resolve))
    const both = [classifiers.training(() => isThere), classifiers.training(() => isThere)]
    await t.rejects(
      classifiers.training(async () => t.fail('It began.')),
      { code: 'QUEUE_FULL' }
    )
    go()
    await Promise.all(both)
    const stop = new AbortController()
    const { set } = toTrainingSet(clusters(new Array(40).fill(50), { spread: 1 }), 40)
    const trained = classifiers.training((train) =>
      train(set, { method: 'linear-probe', seed: 0 }, stop.signal)
    )
    setTimeout(() => stop.abort(), 20)
    await t.rejects(trained, { name: 'AbortError' })
    const held = classifiers.training(() => new Promise<void>((resolve) => setTimeout(resolve, 50)))
    await t.rejects(
      classifiers.training(async () => t.fail('It began.')),
      { code: 'QUEUE_FULL' },
      'the thread still ends'
    )
    await held
  }
)
