import type { CaptionedItem, DatasetFault, LabelledItem } from './dataset.js'
import { addCaptions, captionedItems, captionFault, type Described } from './captions.js'
import { CAPTION_COLUMNS, IMAGE_COLUMNS } from './columns.js'
import type { ImageFinder } from './image-finder.js'
import { labelFault } from './label-names.js'
import { labelIn, textIn, textsIn, type NamedRow } from './named-rows.js'

type Rows = AsyncIterable<NamedRow | DatasetFault>

/**
 * Images with their captions; rows of the same image are one item. What the captions are is kept until the
 * last row is read.
 */
export async function* rowCaptions(
  rows: Rows,
  images: ImageFinder
): AsyncGenerator<CaptionedItem | DatasetFault> {
  const byFile = new Map<string, Described>()
  for await (const row of rows) {
    if ('reason' in row) {
      yield row
      continue
    }
    const file = textIn(row.fields, IMAGE_COLUMNS)
    const captions = textsIn(row.fields, CAPTION_COLUMNS)
    const reason =
      file === undefined
        ? 'It names no image.'
        : captions.length === 0
          ? 'It has no caption.'
          : captions.map(captionFault).find((fault) => fault !== undefined)
    if (reason !== undefined) yield { name: row.name, reason }
    else addCaptions(byFile, file!, captions as string[])
  }
  yield* captionedItems(byFile.values(), images)
}

/** Images with their classes, and with what is written, where the rows have both. */
export async function* rowLabels(
  rows: Rows,
  { images, names }: { images: ImageFinder; names: Map<string, string> }
): AsyncGenerator<LabelledItem | DatasetFault> {
  const seen = new Set<string>()
  for await (const row of rows) {
    if ('reason' in row) {
      yield row
      continue
    }
    const [file, label, [written]] = [
      textIn(row.fields, IMAGE_COLUMNS),
      labelIn(row.fields),
      textsIn(row.fields, CAPTION_COLUMNS)
    ]
    // What is written may be absent, and blank is.
    const text = typeof written === 'string' && written.trim() === '' ? undefined : written
    const reason =
      file === undefined
        ? 'It names no image.'
        : label === undefined
          ? 'It has no label.'
          : (labelFault(label) ?? (text === undefined ? undefined : captionFault(text)))
    const image = reason === undefined ? await images.find(file!) : { name: row.name, reason }
    if ('reason' in image) yield image
    else if (seen.has(image.id)) yield { name: row.name, reason: `Its image ${image.id} was named before.` }
    else {
      seen.add(image.id)
      yield {
        id: image.id,
        image,
        label: names.get(label!) ?? label!,
        ...(text !== undefined && { text: text as string })
      }
    }
  }
}
