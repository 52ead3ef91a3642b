import { cosine } from '../../encoder/embedding.js'
import type { DatasetImage, LoadedDataset } from '../datasets/dataset.js'
import { rowAt, type Rows } from '../embedding/embedder.js'
import type { Figure, TaskResult } from '../report.js'
import { figure, pairedTest, random, sampled } from '../statistics/statistics.js'
import {
  type CaptionLinks,
  linkCaptions,
  mergeImages,
  recallChance,
  recallShares
} from './captioned-images.js'
import type { Task, TaskOptions } from './task.js'

interface Shuffled {
  way: Shuffle
  /** Places of the captions that have another order. */
  captions: Uint32Array
  texts: string[]
  rows: Rows
}

export interface WordOrderInput extends CaptionLinks {
  images: Rows
  captions: Rows
  /** How many images the dataset has. */
  of: number
  shuffled: Shuffled[]
}

const MAX_IMAGES = 1000
const KS = [1, 5]

/**
 * How much a model minds the order of a caption's words: captions against themselves shuffled (cf. ARO,
 * Yuksekgonul et al. 2023).
 */
export const wordOrderTask: Task<WordOrderInput> = {
  name: 'word-order',
  kinds: ['captions', 'pairs'],
  async prepare(dataset, context) {
    const { embedder, options } = context
    const items = await mergeImages(captionedImages(dataset), context)
    const chosen = [...sampled(items.length, MAX_IMAGES, options.seed)].map((i) => items[i])
    const links = linkCaptions(chosen, options.duplicates)
    const shuffled: Shuffled[] = []
    for (const way of SHUFFLES) {
      const orders = shuffleWords(links.texts, way, options.seed)
      const captions = Uint32Array.from(orders.keys()).filter((i) => orders[i] !== undefined)
      const texts = orders.filter((order) => order !== undefined)
      if (texts.length > 0) shuffled.push({ way, captions, texts, rows: await embedder.texts(texts) })
    }
    return {
      ...links,
      images: await embedder.images(chosen.map(({ image }) => image)),
      captions: await embedder.texts(links.texts),
      of: items.length,
      shuffled
    }
  },
  measure: (input, options) => measureWordOrder(input, options)
}

/** The images with their captions; of a pair, each image has one. */
function captionedImages(
  dataset: Parameters<Task<WordOrderInput>['prepare']>[0]
): { image: DatasetImage; captions: string[] }[] {
  if (dataset.kind === 'captions') return dataset.items
  if (dataset.kind === 'pairs')
    return (dataset satisfies LoadedDataset).items.flatMap(({ images, captions }) =>
      images.map((image, i) => ({ image, captions: [captions[i]] }))
    )
  throw new Error(`The word-order probe needs captions or pairs; ${dataset.name} has ${dataset.kind}.`)
}

function measureWordOrder(input: WordOrderInput, options: TaskOptions): TaskResult {
  const figures: Record<string, Figure> = {}
  const perItem: Record<string, Float64Array> = {}
  const clusters: Record<string, Uint32Array> = {}
  const { texts, images, captions, imagesOf } = input
  const recalls = recallShares(captions, images, { right: imagesOf, ks: KS })
  for (const way of input.shuffled) {
    const group = way.way === 'words' ? 'word_order' : `word_order[${way.way}]`
    const measured = measureShuffle(input, way, { recalls, options })
    for (const [name, { of, values }] of Object.entries(measured.figures)) {
      figures[`${group}.${name}`] = of
      perItem[`${group}.${name}`] = values
      clusters[`${group}.${name}`] = measured.clusters
    }
  }
  const details = Object.fromEntries(
    input.shuffled.map((way) => [way.way, Array.from(way.captions, (i, k) => [texts[i], way.texts[k]])])
  )
  const flags =
    input.shuffled.length > 0
      ? []
      : [
          {
            level: 'note' as const,
            code: 'NOTHING_TO_SHUFFLE',
            message: 'No caption has words that could be put in another order.'
          }
        ]
  return {
    report: { task: 'word-order', figures, flags, method: methodOf(input), details: { shuffled: details } },
    perItem,
    clusters
  }
}

type Measured = Record<string, { of: Figure; values: Float64Array }>

function measureShuffle(
  { images, captions, imagesOf }: WordOrderInput,
  way: Shuffled,
  { recalls, options: plain }: { recalls: Float64Array[]; options: TaskOptions }
): { figures: Measured; clusters: Uint32Array } {
  const clusters = Uint32Array.from(way.captions, (caption) => imagesOf[caption][0])
  const options = { ...plain, clusters }
  const right = Array.from(way.captions, (caption) => imagesOf[caption])
  const cosines = (row: Float32Array, i: number) =>
    Array.from(right[i], (image) => cosine(row, rowAt(images, image)))
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const [drop, preference] = [new Float64Array(right.length), new Float64Array(right.length)]
  way.captions.forEach((caption, i) => {
    const [own, other] = [cosines(rowAt(captions, caption), i), cosines(rowAt(way.rows, i), i)]
    drop[i] = mean(own) - mean(other)
    preference[i] = mean(own.map((value, k) => (value > other[k] ? 1 : value === other[k] ? 0.5 : 0)))
  })
  const figures: Measured = {
    drop: { of: figure(drop, options), values: drop },
    preference: { of: figure(preference, { ...options, chance: 0.5 }), values: preference }
  }
  recallShares(way.rows, images, { right, ks: KS }).forEach((values, k) => {
    const before = Float64Array.from(way.captions, (caption) => recalls[k][caption])
    figures[`recall@${KS[k]}`] = {
      of: figure(values, { ...options, chance: recallChance(images, right, KS[k]) }),
      values
    }
    figures[`recall@${KS[k]}_drop`] = {
      of: pairedTest(values, before, options).difference,
      values: before.map((value, i) => value - values[i])
    }
  })
  return { figures, clusters }
}

function methodOf({ images, of }: WordOrderInput): string[] {
  const count = images.values.length / images.dimension
  return [
    'The words of each caption are put in another order (cf. ARO, Yuksekgonul et al. ' +
      `2023)${count < of ? `, for ${count} of ${of} images, drawn at random` : ''}: word_order, all at ` +
      'random; adjacent, each with its neighbour; trigrams, runs of three words at random; ' +
      'within_trigrams, at random within such runs. They keep their case, and what ends the caption its ' +
      'place.',
    'drop is the cosine of image and caption minus that of image and shuffled caption; preference how ' +
      'often the true order scores higher (ties are half): a model that reads a bag of words prefers it ' +
      'half the time.',
    'recall@k is text to image, with the shuffled captions as queries; recall@k_drop is what the ' +
      'captions as they are have more. Captions that no other order was found for are left out.'
  ]
}

/**
 * Ways to put the words of a caption in another order, in the spirit of ARO (Yuksekgonul et al. 2023): all of
 * them at random; each with its neighbour; runs of three at random, or at random within them.
 */
export const SHUFFLES = ['words', 'adjacent', 'trigrams', 'within_trigrams'] as const
type Shuffle = (typeof SHUFFLES)[number]

/** What a random order is tried for that differs from the original's. */
const TRIES = 10

type Shuffler = <T>(list: T[]) => T[]

const orders: Record<Shuffle, (words: string[], shuffle: Shuffler) => string[]> = {
  words: (words, shuffle) => shuffle([...words]),
  adjacent: (words) => runs(words, 2).flatMap((pair) => pair.reverse()),
  trigrams: (words, shuffle) => shuffle(runs(words, 3)).flat(),
  within_trigrams: (words, shuffle) => runs(words, 3).flatMap((run) => shuffle(run))
}

function runs(words: string[], length: number): string[][] {
  return Array.from({ length: Math.ceil(words.length / length) }, (_, i) =>
    words.slice(i * length, (i + 1) * length)
  )
}

/**
 * Captions with their words in another order, by white space; what punctuation ends a caption stays there.
 * Undefined where no other order was found, as for one word.
 */
export function shuffleWords(captions: string[], way: Shuffle, seed: number): (string | undefined)[] {
  const { shuffle } = random(seed + SHUFFLES.indexOf(way))
  return captions.map((caption) => {
    const [, body, end] = /^(.*?)([\s.!?]*)$/s.exec(caption.trim())!
    const words = body.split(/\s+/)
    for (let i = 0; i < TRIES; i++) {
      const order = orders[way](words, shuffle)
      if (order.some((word, place) => word !== words[place])) return order.join(' ') + end
    }
    return undefined
  })
}
