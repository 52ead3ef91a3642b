import { cosine } from '../../encoder/embedding.js'
import type { ChoiceItem, PairItem } from '../datasets/dataset.js'
import { type Embedder, rowAt, rowCount, type Rows } from '../embedding/embedder.js'
import type { Figure, TaskResult, WorstQuery } from '../report.js'
import { topShare } from '../statistics/query-ranks.js'
import { figure } from '../statistics/statistics.js'
import type { Task, TaskOptions } from './task.js'

/** Items of a tag for it to have figures of its own. */
const LEAST_TAGGED = 5

/** The items of each tag that has enough of them, by tag. */
function itemsByTag(tags: (string | undefined)[]): Map<string, number[]> {
  const items = new Map<string, number[]>()
  tags.forEach((tag, i) => {
    if (tag !== undefined && tag !== '') items.set(tag, [...(items.get(tag) ?? []), i])
  })
  return new Map(
    [...items].filter(([, { length }]) => length >= LEAST_TAGGED).sort(([a], [b]) => (a < b ? -1 : 1))
  )
}

/** Values at some places. */
function at(values: Float64Array, places: number[]): Float64Array {
  return Float64Array.from(places, (i) => values[i])
}

export type CompositionalityInput =
  | { kind: 'pairs'; items: PairItem[]; images: Rows; captions: Rows }
  | ({ kind: 'choices'; items: ChoiceItem[]; images: Rows } & Choices)

const WORST = 12

/**
 * Whether a model can tell captions of nearly the same words apart: Winoground's scores, or accuracy against
 * hard negatives.
 */
export const compositionalityTask: Task<CompositionalityInput> = {
  name: 'compositionality',
  kinds: ['pairs', 'choices'],
  async prepare(dataset, { embedder }) {
    if (dataset.kind === 'pairs')
      return { kind: 'pairs', items: dataset.items, ...(await embedPairs(dataset.items, embedder)) }
    if (dataset.kind === 'choices')
      return { kind: 'choices', items: dataset.items, ...(await embedChoices(dataset.items, embedder)) }
    throw new Error(`Compositionality needs pairs or choices; ${dataset.name} has ${dataset.kind}.`)
  },
  measure: (input, options) =>
    input.kind === 'pairs' ? measurePairs(input, options) : measureChoices(input, options)
}

/** Rows 2i and 2i + 1 are those of pair i. */
export async function embedPairs(
  items: PairItem[],
  embedder: Embedder
): Promise<{ images: Rows; captions: Rows }> {
  return {
    images: await embedder.images(items.flatMap(({ images }) => images)),
    captions: await embedder.texts(items.flatMap(({ captions }) => captions))
  }
}

export async function embedChoices(
  items: ChoiceItem[],
  embedder: Embedder
): Promise<Choices & { images: Rows }> {
  const starts = new Uint32Array(items.length + 1)
  items.forEach(({ negatives }, i) => (starts[i + 1] = starts[i] + 1 + negatives.length))
  const captions = await embedder.texts(items.flatMap(({ caption, negatives }) => [caption, ...negatives]))
  return { images: await embedder.images(items.map(({ image }) => image)), captions, starts }
}

function measurePairs(
  { items, images, captions }: CompositionalityInput & { kind: 'pairs' },
  options: TaskOptions
): TaskResult {
  const scores = winogroundScores(images, captions)
  const figures: Record<string, Figure> = {}
  const perItem: Record<string, Float64Array> = {}
  const names = Object.keys(WINOGROUND_CHANCE) as WinogroundScore[]
  for (const name of names) {
    figures[`winoground.${name}`] = figure(scores[name], { ...options, chance: WINOGROUND_CHANCE[name] })
    perItem[`winoground.${name}`] = scores[name]
  }
  for (const [tag, places] of itemsByTag(items.map(({ tag }) => tag))) {
    for (const name of names)
      figures[`winoground[${tag}].${name}`] = figure(at(scores[name], places), {
        ...options,
        chance: WINOGROUND_CHANCE[name]
      })
  }
  const cosines = items.map((_, pair) => pairCosines(images, captions, pair))
  return {
    report: {
      task: 'compositionality',
      figures,
      flags: [],
      worst: [
        { title: "Images that prefer the other's caption", queries: worstCaptions(items, cosines) },
        { title: "Captions that prefer the other's image", queries: worstImages(items, cosines) }
      ],
      method: [
        'winoground.text: both images score their own caption above the other; image: both captions ' +
          'score their own image above the other; group: both hold (Thrush et al. 2022). Equal scores ' +
          'are no preference. Guessing gives 1/4, 1/4 and 1/6.',
        tagsMethod
      ]
    },
    perItem
  }
}

const tagsMethod = `Tags with at least ${LEAST_TAGGED} items have figures of their own.`

/** The side of each pair that is most wrong, by how much its other caption scores above its own. */
function worstCaptions(items: PairItem[], cosines: number[][][]): WorstQuery[] {
  const sides = items.flatMap(({ images, captions }, pair) =>
    [0, 1].map((own) => ({
      pair,
      image: images[own].id,
      own: captions[own],
      other: captions[1 - own],
      right: cosines[pair][own][own],
      wrong: cosines[pair][1 - own][own]
    }))
  )
  return mostWrong(sides).map(({ image, own, other, right, wrong }) => ({
    query: { image },
    expected: [{ text: own }],
    returned: [
      { shown: { text: other }, score: wrong },
      { shown: { text: own }, score: right }
    ],
    rank: 2
  }))
}

function worstImages(items: PairItem[], cosines: number[][][]): WorstQuery[] {
  const sides = items.flatMap(({ images, captions }, pair) =>
    [0, 1].map((own) => ({
      pair,
      text: captions[own],
      own: images[own].id,
      other: images[1 - own].id,
      right: cosines[pair][own][own],
      wrong: cosines[pair][own][1 - own]
    }))
  )
  return mostWrong(sides).map(({ text, own, other, right, wrong }) => ({
    query: { text },
    expected: [{ image: own }],
    returned: [
      { shown: { image: other }, score: wrong },
      { shown: { image: own }, score: right }
    ],
    rank: 2
  }))
}

/** The most wrong, one a pair, worst first. */
function mostWrong<Side extends { pair: number; right: number; wrong: number }>(sides: Side[]): Side[] {
  const seen = new Set<number>()
  return sides
    .filter(({ right, wrong }) => wrong > right)
    .sort((a, b) => b.wrong - b.right - (a.wrong - a.right) || a.pair - b.pair)
    .filter(({ pair }) => !seen.has(pair) && seen.add(pair))
    .slice(0, WORST)
}

function measureChoices(
  input: CompositionalityInput & { kind: 'choices' },
  options: TaskOptions
): TaskResult {
  const scores = hardNegativeScores(input.images, input)
  const figures = {
    'hard_negatives.accuracy': figure(scores, { ...options, chance: hardNegativeChance(input) })
  }
  for (const [tag, places] of itemsByTag(input.items.map(({ tag }) => tag))) {
    Object.assign(figures, {
      [`hard_negatives[${tag}].accuracy`]: figure(at(scores, places), {
        ...options,
        chance: hardNegativeChance(input, places)
      })
    })
  }
  return {
    report: {
      task: 'compositionality',
      figures,
      flags: [],
      worst: [{ title: 'Images that prefer a caption that is not true', queries: worstChoices(input) }],
      method: [
        'hard_negatives.accuracy: the caption scores above each of its negatives (SugarCrepe, Hsieh et ' +
          'al. 2023); ties count as a random choice would. Guessing gives one over the captions of an ' +
          'item.',
        tagsMethod
      ]
    },
    perItem: { 'hard_negatives.accuracy': scores }
  }
}

function worstChoices(input: CompositionalityInput & { kind: 'choices' }): WorstQuery[] {
  const sides = input.items.map((item, i) => {
    const cosines = choiceCosines(rowAt(input.images, i), input, i)
    return {
      ...item,
      pair: i,
      cosines,
      right: cosines[0],
      wrong: cosines.slice(1).reduce((a, b) => Math.max(a, b), -Infinity)
    }
  })
  return mostWrong(sides).map(({ image, caption, negatives, cosines }) => {
    const texts = [caption, ...negatives]
    const best = texts.map((_, i) => i).sort((a, b) => cosines[b] - cosines[a])
    return {
      query: { image: image.id },
      expected: [{ text: caption }],
      returned: best.slice(0, 3).map((i) => ({ shown: { text: texts[i] }, score: cosines[i] })),
      rank: best.indexOf(0) + 1
    }
  })
}

/**
 * Captions of images, several an image: those of image i are rows `starts[i]` to `starts[i + 1]`, the true
 * one first.
 */
export interface Choices {
  captions: Rows
  starts: Uint32Array
}

/** Cosines of an image with its captions, the true one first. */
function choiceCosines(image: Float32Array, { captions, starts }: Choices, item: number): number[] {
  return Array.from({ length: starts[item + 1] - starts[item] }, (_, i) =>
    cosine(image, rowAt(captions, starts[item] + i))
  )
}

/**
 * Of each image, whether its caption scores above all of the negatives (SugarCrepe, Hsieh et al. 2023); a
 * share where it ties.
 */
export function hardNegativeScores(images: Rows, choices: Choices): Float64Array {
  return Float64Array.from({ length: choices.starts.length - 1 }, (_, i) =>
    topShare(choiceCosines(rowAt(images, i), choices, i), [0], 1)
  )
}

/** What guessing gives: the mean of one over the captions of an item. */
export function hardNegativeChance(
  { starts }: Choices,
  items: Iterable<number> = Array.from({ length: starts.length - 1 }, (_, i) => i)
): number {
  const chances = [...items].map((i) => 1 / (starts[i + 1] - starts[i]))
  return chances.reduce((a, b) => a + b, 0) / chances.length
}

/**
 * What guessing gives: two comparisons right of two; for the group, both own scores above both others, 4 of
 * the 24 orders of four scores (Thrush et al. 2022).
 */
export const WINOGROUND_CHANCE = { text: 1 / 4, image: 1 / 4, group: 1 / 6 }
export type WinogroundScore = keyof typeof WINOGROUND_CHANCE

/** Cosines of a pair's captions with its images: `[caption][image]`. */
function pairCosines(images: Rows, captions: Rows, pair: number): number[][] {
  return [0, 1].map((c) =>
    [0, 1].map((i) => cosine(rowAt(captions, 2 * pair + c), rowAt(images, 2 * pair + i)))
  )
}

/**
 * The text, image and group score of each pair, 1 or 0 (Thrush et al. 2022, 3.3): whether each image prefers
 * its own caption, each caption its own image, and both. Equal scores are no preference. Rows 2i and 2i + 1
 * are those of pair i.
 */
export function winogroundScores(images: Rows, captions: Rows): Record<WinogroundScore, Float64Array> {
  const pairs = rowCount(images) / 2
  const scores = {
    text: new Float64Array(pairs),
    image: new Float64Array(pairs),
    group: new Float64Array(pairs)
  }
  for (let pair = 0; pair < pairs; pair++) {
    const [[own, other], [otherOf, ownOf]] = pairCosines(images, captions, pair)
    scores.text[pair] = Number(own > otherOf && ownOf > other)
    scores.image[pair] = Number(own > other && ownOf > otherOf)
    scores.group[pair] = scores.text[pair] * scores.image[pair]
  }
  return scores
}
