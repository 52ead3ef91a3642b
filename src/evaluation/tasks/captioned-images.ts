import type { CaptionedItem, DatasetImage } from '../datasets/dataset.js'
import { imageDigests } from '../embedding/image-files.js'
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
