import { cosine } from '../../encoder/embedding.js'
import { imagesOf } from '../datasets/dataset-parts.js'
import type { Rows } from '../embedding/embedder.js'
import type { Figure, TaskResult } from '../report.js'
import { rowAt, rowCount, rowsOf } from '../embedding/rows.js'
import { sampled } from '../statistics/sample.js'
import { bootstrap, figure, pairedTest } from '../statistics/statistics.js'
import type { Task, TaskOptions } from './task.js'
import { ASSOCIATIONS, COUNTERFACTUALS, type AssociationSet, type CounterfactualSet } from './bias-prompts.js'
import { cohensD, weatEffect, weatP } from './effect-size.js'

export interface BiasInput {
  images: Rows
  /** How many images the dataset has. */
  of: number
  /** Prompts: of the first group without and with each attribute, then of the second. */
  counterfactuals: { set: CounterfactualSet; prompts: Rows }[]
  /** Words: the targets of both groups, then the attributes of both sides. */
  associations: { set: AssociationSet; words: Rows }[]
}

const MAX_IMAGES = 1000
const NO_ATTRIBUTE = 'no attribute'

/**
 * Whether images lie nearer to a prompt than to the same prompt of another group, and whether words of groups
 * are associated with attributes in the text tower (WEAT, Caliskan et al. 2017; of sentences, May et al.
 * 2019).
 */
export const biasTask: Task<BiasInput> = {
  name: 'bias',
  kinds: ['captions', 'classes', 'pairs', 'choices'],
  async prepare(dataset, { embedder, options }) {
    if (dataset.kind === 'embeddings')
      throw new Error(`Bias is measured with images; ${dataset.name} has only embeddings.`)
    const images = imagesOf(dataset)
    const chosen = [...sampled(images.length, MAX_IMAGES, options.seed)].map((i) => images[i])
    const counterfactuals = []
    for (const set of COUNTERFACTUALS)
      counterfactuals.push({ set, prompts: await embedder.texts(promptsOf(set)) })
    const associations = []
    for (const set of ASSOCIATIONS)
      associations.push({ set, words: await embedder.texts([...set.targets, ...set.attributes].flat()) })
    return { images: await embedder.images(chosen), of: images.length, counterfactuals, associations }
  },
  measure: (input, options) => measureBias(input, options)
}

function promptsOf({ groups, template, neutral, attributes }: CounterfactualSet): string[] {
  return groups.flatMap((group) =>
    [neutral, ...attributes.map((attribute) => template.replaceAll('{attribute}', () => attribute))].map(
      (prompt) => prompt.replaceAll('{group}', () => group)
    )
  )
}

function measureBias(
  { images, of, counterfactuals, associations }: BiasInput,
  options: TaskOptions
): TaskResult {
  const figures: Record<string, Figure> = {}
  const perItem: Record<string, Float64Array> = {}
  const pairs = []
  for (const { set, prompts } of counterfactuals) {
    const measured = measureCounterfactual(images, { set, prompts }, options)
    Object.assign(figures, measured.figures)
    figures[`bias[${set.name}].difference`] = figure(measured.mean, options)
    perItem[`bias[${set.name}].difference`] = measured.mean
    pairs.push(...measured.pairs)
  }
  const tests = associations.map(({ set, words }) => measureAssociation(set, words, options))
  for (const { name, effect } of tests) figures[`weat[${name}].effect`] = effect
  return {
    report: {
      task: 'bias',
      figures,
      flags: [],
      method: methodOf(rowCount(images), of),
      details: {
        counterfactuals: counterfactuals.map(({ set }) => set),
        pairs,
        associations: tests.map(({ name, p }, i) => ({ ...associations[i].set, name, p }))
      }
    },
    perItem
  }
}

/** An attribute's prompts held against each other. */
interface PairDetail {
  set: string
  attribute: string
  /** Mean difference of the cosines, the first group's minus the second's. */
  difference: Figure
  p: number
}

function measureCounterfactual(
  images: Rows,
  { set, prompts }: BiasInput['counterfactuals'][number],
  options: TaskOptions
): { figures: Record<string, Figure>; mean: Float64Array; pairs: PairDetail[] } {
  const rows = rowsOf(images)
  const count = set.attributes.length + 1
  const cosines = (prompt: number) =>
    Float64Array.from(rows, (image) => cosine(image, rowAt(prompts, prompt)))
  const figures: Record<string, Figure> = {}
  const mean = new Float64Array(rows.length)
  const pairs = [NO_ATTRIBUTE, ...set.attributes].map((attribute, i) => {
    const [first, second] = [cosines(i), cosines(count + i)]
    const differences = first.map((value, k) => value - second[k])
    if (i > 0) differences.forEach((difference, k) => (mean[k] += difference / set.attributes.length))
    figures[`bias[${set.name}: ${attribute}].effect`] = effectOf(differences, options)
    return { set: set.name, attribute, ...pairedTest(second, first, options) }
  })
  return { figures: { [`bias[${set.name}].effect`]: effectOf(mean, options), ...figures }, mean, pairs }
}

function effectOf(differences: Float64Array, options: TaskOptions): Figure {
  return { ...bootstrap(differences.length, cohensD(differences), options), items: differences.length }
}

function measureAssociation(
  { name, targets, attributes }: AssociationSet,
  words: Rows,
  options: TaskOptions
): { name: string; effect: Figure; p: number } {
  const rows = rowsOf(words)
  const [firstTargets, all] = [targets[0].length, targets[0].length + targets[1].length]
  const [first, second] = [
    rows.slice(all, all + attributes[0].length),
    rows.slice(all + attributes[0].length)
  ]
  const mean = (word: Float32Array, others: Float32Array[]) =>
    others.reduce((sum, other) => sum + cosine(word, other), 0) / others.length
  const associations = Float64Array.from(rows.slice(0, all), (word) => mean(word, first) - mean(word, second))
  const effect = { ...bootstrap(all, weatEffect(associations, firstTargets), options), items: all }
  return { name, effect, p: weatP(associations, firstTargets, options) }
}

function methodOf(images: number, of: number): string[] {
  return [
    `bias: over ${images < of ? `${images} of ${of} images, drawn at random` : `${images} images`}, ` +
      'the cosine with a prompt minus that with the same prompt of the second group; effect is the mean ' +
      `of the differences over their standard deviation (Cohen's d), above 0 where the images lie nearer ` +
      'to the first group. The figures of a set are of the mean over its attributes; difference is in ' +
      'cosine. The p of each pair is of a permutation test, the groups swapped image by image.',
    `'${NO_ATTRIBUTE}' is the same for the groups alone: what an attribute's effect has over it is the ` +
      `attribute's.`,
    'weat: how much more the words of the first group than those of the second are associated with the ' +
      'first attributes over the second, in the text tower alone, in standard deviations (Caliskan et ' +
      'al. 2017; May et al. 2019); few words, so the intervals are wide.',
    'The groups are words in prompts: nothing is said of, or read from, the people in the images. An ' +
      'effect holds for these images, words and prompts. It mixes what the images show with what the ' +
      'model adds, a large one can be of a difference in cosine that changes no result, and one near 0 ' +
      'does not show that a model treats groups alike.'
  ]
}
