import { cosine } from '../../encoder/embedding.js'
import type { CaptionedItem, DatasetImage } from '../datasets/dataset.js'
import { rowAt, rowCount, type Rows, rowsOf } from '../embedding/embedder.js'
import { imageDigests } from '../embedding/image-files.js'
import { recallAt, topShare } from '../statistics/query-ranks.js'
import type { TaskContext, TaskOptions } from './task.js'

/** Which captions are true of which images. */
export interface CaptionLinks {
  /** In the order they come in. */
  texts: string[]
  /** Of each image, its captions. */
  textsOf: Uint32Array[]
  /** Of each caption, its images. */
  imagesOf: Uint32Array[]
}

type Captioned = Pick<CaptionedItem, 'image' | 'captions'>

/**
 * Images with the same bytes as one, which has the captions of all; where duplicates are kept, all as they
 * are.
 */
export async function mergeImages(
  items: Captioned[],
  context: Omit<TaskContext, 'embedder'>
): Promise<Captioned[]> {
  if (context.options.duplicates === 'keep') return items
  const digests = await imageDigests(
    items.map(({ image }) => image),
    context
  )
  const merged = new Map<string, { image: DatasetImage; captions: string[] }>()
  for (const [i, { image, captions }] of items.entries()) {
    const first = merged.get(digests[i])
    if (first) first.captions.push(...captions)
    else merged.set(digests[i], { image, captions: [...captions] })
  }
  return [...merged.values()]
}

/** Captions with the same words are one, and true of each image that has it, unless duplicates are kept. */
export function linkCaptions(items: Captioned[], duplicates: TaskOptions['duplicates']): CaptionLinks {
  const texts: string[] = []
  const imagesOf: Set<number>[] = []
  const places = new Map<string, number>()
  const placeOf = (text: string): number => {
    const place = duplicates === 'merge' ? places.get(text) : undefined
    if (place !== undefined) return place
    places.set(text, texts.length)
    imagesOf.push(new Set())
    return texts.push(text) - 1
  }
  const textsOf = items.map(({ captions }, image) => {
    const own = new Set(captions.map(placeOf))
    for (const text of own) imagesOf[text].add(image)
    return Uint32Array.from(own)
  })
  return { texts, textsOf, imagesOf: imagesOf.map((images) => Uint32Array.from(images)) }
}

/**
 * Of each query, whether any of what is right is among the `k` nearest candidates, for each k; a share where
 * it ties.
 */
export function recallShares(
  queries: Rows,
  candidates: Rows,
  { right, ks }: { right: Uint32Array[]; ks: number[] }
): Float64Array[] {
  const shares = ks.map(() => new Float64Array(right.length))
  const others = rowsOf(candidates)
  const scores = new Float64Array(others.length)
  right.forEach((own, query) => {
    const row = rowAt(queries, query)
    others.forEach((other, i) => (scores[i] = cosine(row, other)))
    ks.forEach((k, i) => (shares[i][query] = own.length === 0 ? 0 : topShare(scores, own, k)))
  })
  return shares
}

/** Recall at `k` of a random order of the candidates, over the queries. */
export function recallChance(candidates: Rows, right: Uint32Array[], k: number): number {
  if (right.length === 0) return 0
  const chances = right.map(({ length }) =>
    length === 0 ? 0 : recallAt(k, { ahead: 0, tiedWrong: rowCount(candidates) - length, tiedRight: length })
  )
  return chances.reduce((sum, chance) => sum + chance, 0) / chances.length
}
