import { random } from '../statistics/statistics.js'

/**
 * Ways to put the words of a caption in another order, in the spirit of ARO (Yuksekgonul et al. 2023): all of
 * them at random; each with its neighbour; runs of three at random, or at random within them.
 */
export const SHUFFLES = ['words', 'adjacent', 'trigrams', 'within_trigrams'] as const
export type Shuffle = (typeof SHUFFLES)[number]

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
