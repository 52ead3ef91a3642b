import { isImage } from '../../image-input.js'
import type { PickedFile } from './picked-files.js'

/** A picture, and the file beside it that says what it shows. */
export interface CaptionedPicture extends PickedFile {
  caption?: File
}

/**
 * Pairs pictures with the texts of the same name beside them: `a/1.jpg` with `a/1.txt`. What is neither is
 * left out.
 */
export function pairCaptions(files: PickedFile[]): { pictures: CaptionedPicture[]; leftOut: string[] } {
  const captions = new Map(
    files.filter(({ path }) => /\.txt$/i.test(path)).map(({ path, file }) => [stemOf(path), file])
  )
  const pictures = files
    .filter(({ file }) => isImage(file))
    .map((picture) => ({ ...picture, caption: captions.get(stemOf(picture.path)) }))
  const stems = new Set(pictures.map(({ path }) => stemOf(path)))
  const leftOut = files
    .filter(({ path, file }) => !isImage(file) && !(/\.txt$/i.test(path) && stems.has(stemOf(path))))
    .map(({ path }) => path)
  return { pictures, leftOut }
}

function stemOf(path: string): string {
  return path.replace(/\.[^./]*$/, '')
}
