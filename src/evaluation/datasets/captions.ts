import { countCharacters, isLonger } from '../../validation/code-points.js'
import { MAX_TEXT_LENGTH } from '../../encoder/tokenizer.js'
import type { CaptionedItem, DatasetFault } from './dataset.js'
import { belowFolder, type ImageFinder } from './image-finder.js'

/** Why something can't be a caption, or undefined. */
export function captionFault(caption: unknown): string | undefined {
  if (typeof caption !== 'string' || caption.trim() === '') return 'It has no caption.'
  if (isLonger(caption, MAX_TEXT_LENGTH))
    return `Its caption has ${countCharacters(caption)} characters, of ${MAX_TEXT_LENGTH} allowed.`
  if (!caption.isWellFormed()) return 'Its caption holds half of a surrogate pair, which is no text.'
  return undefined
}

/** What is said of one image. */
export interface Described {
  /** Its file; several where it may be at several places. */
  files: string[]
  captions: string[]
}

/** Items of images with their captions, in order. Images that are not there are faults. */
export async function* captionedItems(
  described: Iterable<Described>,
  images: ImageFinder
): AsyncGenerator<CaptionedItem | DatasetFault> {
  for (const { files, captions } of described) {
    const image = await images.find(...files)
    yield 'reason' in image ? image : { id: image.id, image, captions }
  }
}

/** Puts together what is said of the same image on several lines. */
export function addCaptions(byFile: Map<string, Described>, file: string, captions: string[]): void {
  const key = belowFolder(file) ?? file
  const known = byFile.get(key)
  if (known) known.captions.push(...captions)
  else byFile.set(key, { files: [file], captions: [...captions] })
}
