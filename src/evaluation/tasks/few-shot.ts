import {
  crossValidate,
  stratifiedFolds,
  type TrainingSet,
  withAnchors
} from '../../classifiers/cross-validation.js'
import {
  best,
  linearClassifier,
  type LinearClassifier,
  rowAt,
  takeRows
} from '../../classifiers/linear-classifier.js'
import {
  COMPARED_AT,
  createMethod,
  DEFAULT_SETTINGS,
  type MethodName
} from '../../classifiers/train-classifier.js'
import { fill } from '../../encoder/zero-shot.js'
import type { Rows } from '../embedding/embedder.js'
import type { Figure, Flag, TaskResult } from '../report.js'
import { figure, random } from '../statistics/statistics.js'
import { labelsAndTruth, type Task, type TaskOptions } from './task.js'

export interface FewShotInput {
  images: Rows
  imageIds: string[]
  /** Of each image, the index of its class. */
  truth: Uint32Array
  classes: string[]
  /** One row a class: its label in the template. */
  words: Rows
  /** The model's own. */
  template: string
}

/** Draws of the examples: what is luck of a few examples is averaged over them. */
const DRAWS = 10
/** Of more classes so many are drawn: what training takes grows with their square. */
const MAX_CLASSES = 50
/**
 * The gradient at which a probe that is tested is done: so near to the optimum that accuracies don't depend
 * on where it stopped.
 */
const TESTED_AT = 1e-8

const CONTENDERS: { name: string; title: string; method: MethodName; hasPrior: boolean }[] = [
  {
    name: 'linear_probe',
    title: 'linear probe, with the words of the labels',
    method: 'linear-probe',
    hasPrior: true
  },
  { name: 'linear_probe_alone', title: 'linear probe, without', method: 'linear-probe', hasPrior: false },
  { name: 'nearest_mean', title: 'nearest class mean', method: 'nearest-class-mean', hasPrior: false }
]

const METHOD = [
  `Examples of each class are drawn ${DRAWS} times; classifiers are tested on the images that are ` +
    'examples in no size of a draw, so that all sizes and zero-shot are measured on the same images.',
  'The linear probe is L2-regularised multinomial logistic regression (Radford et al. 2021, A.3). Its ' +
    'C is chosen by cross-validation among the examples of the first draw, which other draws may test; ' +
    'for a single example of each class it is 1. The details name the examples and each C.',
  'With the words of the labels: their text embeddings are one more example of each class (Lin et al. ' +
    '2023, Multimodality helps unimodality).',
  'Intervals are over the test images, all draws of one together.'
]

/** Accuracy of classifiers by the number of examples that they were given of each class, beside zero-shot. */
export const fewShotTask: Task<FewShotInput> = {
  name: 'few-shot',
  kinds: ['classes'],
  async prepare(dataset, { embedder }) {
    if (dataset.kind !== 'classes')
      throw new Error(`Few-shot classification needs classes; ${dataset.name} has ${dataset.kind}.`)
    const { labels: classes, truth } = labelsAndTruth(dataset.items)
    const images = dataset.items.map(({ image }) => image)
    const { template } = embedder.model.zeroShot
    return {
      images: await embedder.images(images),
      imageIds: images.map(({ id }) => id),
      truth,
      classes,
      words: await embedder.texts(classes.flatMap((label) => fill([template], label))),
      template
    }
  },
  measure: measureFewShot
}

function measureFewShot(input: FewShotInput, options: TaskOptions): TaskResult {
  const { chosen, shots } = usableClasses(input.truth, { most: MAX_CLASSES, seed: options.seed })
  const flags = flagsOf(input, chosen.length)
  if (chosen.length < 2)
    return { report: { task: 'few-shot', figures: {}, flags, method: METHOD }, perItem: {} }
  const draws = drawExamples(input.truth, { chosen, shots, draws: DRAWS, seed: options.seed })
  const tested = Uint32Array.from(draws.flatMap(({ test }) => test))
  const perItem: Record<string, Float64Array> = {}
  const settings: Record<string, number> = {}
  const words = takeRows(input.words, chosen)
  const zeroShot = linearClassifier(Float64Array.from(words.values), new Float64Array(chosen.length))
  perItem['few_shot.zero_shot'] = Float64Array.from(draws.flatMap((draw) => outcomes(zeroShot, input, draw)))
  for (const { name, ...contender } of CONTENDERS) {
    for (const count of shots) {
      const sets = draws.map((draw) =>
        trainingSet(input, draw, { count, anchors: contender.hasPrior ? words : undefined })
      )
      const { setting, classifiers } = fitAll(sets, contender.method, options.seed)
      settings[`${name}@${count}`] = setting
      perItem[`few_shot.${name}@${count}`] = Float64Array.from(
        draws.flatMap((draw, i) => outcomes(classifiers[i], input, draw))
      )
    }
  }
  const figures = Object.fromEntries(
    Object.entries(perItem).map(([name, values]) => [
      name,
      {
        ...figure(values, { ...options, clusters: tested, chance: 1 / chosen.length }),
        items: new Set(tested).size
      }
    ])
  )
  return {
    report: {
      task: 'few-shot',
      figures,
      plots: [plotOf(figures, shots)],
      flags,
      method: METHOD,
      details: {
        template: input.template,
        classes: chosen.map((k) => input.classes[k]),
        settings,
        draws: named(draws, input)
      }
    },
    perItem,
    clusters: Object.fromEntries(Object.keys(perItem).map((name) => [name, tested]))
  }
}

/** What was examples of each class, of a draw. */
function trainingSet(
  { images }: FewShotInput,
  { examples }: Draw,
  { count, anchors }: { count: number; anchors: TrainingSet['anchors'] }
): TrainingSet {
  const chosen = examples.flatMap((ofClass) => ofClass.slice(0, count))
  return {
    rows: takeRows(images, chosen),
    labels: Uint32Array.from(examples.flatMap((_, k) => new Array<number>(count).fill(k))),
    classes: examples.length,
    anchors
  }
}

/** Classifiers of the draws, with the setting that the first of them chooses. */
function fitAll(
  sets: TrainingSet[],
  method: MethodName,
  seed: number
): { setting: number; classifiers: LinearClassifier[] } {
  const folds = stratifiedFolds(sets[0].labels, { seed })
  const setting = folds.some((fold) => fold >= 0)
    ? crossValidate([sets[0]], folds, createMethod({ method }, COMPARED_AT)).setting
    : DEFAULT_SETTINGS[method]
  const { fit } = createMethod({ method }, TESTED_AT)
  return {
    setting,
    classifiers: sets.map((set) => {
      const { rows, labels } = withAnchors(set)
      return fit(rows, labels, { classes: set.classes, setting })
    })
  }
}

/**
 * The ids of each draw's examples by class, in the order of the classes: the first n are those of n examples.
 */
function named(draws: Draw[], { imageIds }: FewShotInput): string[][][] {
  return draws.map(({ examples }) => examples.map((ofClass) => ofClass.map((image) => imageIds[image])))
}

/** Of each tested image of a draw whether it is put into its class: 1 or 0. */
function outcomes(
  classifier: LinearClassifier,
  { images, truth }: FewShotInput,
  { test, classOf }: Draw
): number[] {
  return test.map((image) =>
    Number(best(classifier.scores(rowAt(images, image))) === classOf.get(truth[image]))
  )
}

function plotOf(figures: Record<string, Figure>, shots: number[]) {
  const point = (x: number, { value: y, low, high }: Figure) => ({ x, y, low, high })
  return {
    title: 'Accuracy by examples of each class',
    x: 'examples of each class',
    y: 'accuracy',
    scale: 'log' as const,
    curves: [
      ...CONTENDERS.map(({ name, title }) => ({
        name: title,
        points: shots.map((count) => point(count, figures[`few_shot.${name}@${count}`]))
      })),
      { name: 'zero-shot', points: shots.map((count) => point(count, figures['few_shot.zero_shot'])) }
    ]
  }
}

function flagsOf({ classes, truth }: FewShotInput, used: number): Flag[] {
  if (used === classes.length) return []
  if (used < 2)
    return [
      {
        level: 'warning',
        code: 'too_few_images',
        message:
          `Of ${classes.length} classes with ${truth.length} images fewer than two have the ` +
          'three that are needed.'
      }
    ]
  return [
    {
      level: 'note',
      code: 'some_classes',
      message:
        `${used} of ${classes.length} classes: those with three images at least, and of these ` +
        `no more than ${MAX_CLASSES}.`
    }
  ]
}

/** One choice of examples, and what is left to be tested with. */
interface Draw {
  /**
   * By class, in the order of the chosen ones, the images that are its examples: the first n for n examples.
   */
  examples: number[][]
  /** In the order of the dataset. */
  test: number[]
  /** Where each of the dataset's classes is among the chosen ones. */
  classOf: Map<number, number>
}

/** Examples of each class that are measured. */
const SHOTS = [1, 2, 4, 8, 16]
/** Images that a class needs: one or two to learn from, the rest to be tested with. */
const LEAST = 3

/**
 * The classes that have enough images, of too many some at random, and how many examples of each leave a
 * third to be tested with.
 */
export function usableClasses(
  truth: Uint32Array,
  { most, seed }: { most: number; seed: number }
): { chosen: number[]; shots: number[] } {
  const counts = new Map<number, number>()
  for (const label of truth) counts.set(label, (counts.get(label) ?? 0) + 1)
  const usable = [...counts.keys()].filter((label) => counts.get(label)! >= LEAST).sort((a, b) => a - b)
  const chosen =
    usable.length <= most
      ? usable
      : random(seed)
          .shuffle(usable)
          .slice(0, most)
          .sort((a, b) => a - b)
  const smallest = chosen.reduce((least, label) => Math.min(least, counts.get(label)!), Infinity)
  return { chosen, shots: SHOTS.filter((count) => 1.5 * count <= smallest) }
}

/** Draws examples of the chosen classes; the same for the same seed, whatever the model. */
export function drawExamples(
  truth: Uint32Array,
  { chosen, shots, draws, seed }: { chosen: number[]; shots: number[]; draws: number; seed: number }
): Draw[] {
  const { shuffle } = random(seed)
  const images = [...truth.keys()]
  const byClass = chosen.map((label) => images.filter((image) => truth[image] === label))
  const classOf = new Map(chosen.map((label, k) => [label, k]))
  const most = Math.max(...shots)
  return Array.from({ length: draws }, () => {
    const orders = byClass.map((own) => shuffle([...own]))
    return {
      examples: orders.map((order) => order.slice(0, most)),
      test: orders.flatMap((order) => order.slice(most)).sort((a, b) => a - b),
      classOf
    }
  })
}
