import { basename, extname } from 'node:path'
import { captionFault } from './captions.js'
import { IMAGE_COLUMNS, NEGATIVE_COLUMNS } from './columns.js'
import { namedRows, textIn, textsIn } from './named-rows.js'
import type { Reader } from './opened.js'

/**
 * Captions to choose from: SugarCrepe's files (Hsieh et al. 2023), or lines of `{"image", "caption",
 * "negatives": [...]}`. Of several files each gives its items its name as their tag, as SugarCrepe's
 * swap_att.json and replace_obj.json.
 */
export const openChoices: Reader = async ({ files, images }) => ({
  kind: 'choices',
  async *items() {
    for (const path of files) {
      const stem = basename(path, extname(path))
      for await (const row of namedRows(path)) {
        if ('reason' in row) {
          yield row
          continue
        }
        const { name, key, fields } = row
        const [file, caption, negatives] = [
          textIn(fields, IMAGE_COLUMNS),
          fields.caption ?? fields.text,
          textsIn(fields, NEGATIVE_COLUMNS)
        ]
        const reason =
          file === undefined
            ? 'It names no image.'
            : negatives.length === 0
              ? 'It has no negatives.'
              : ([caption, ...negatives].map(captionFault).find((fault) => fault !== undefined) ??
                (negatives.includes(caption) ? 'Its caption is among its negatives.' : undefined))
        const image = reason === undefined ? await images.find(file!) : { name, reason }
        const tag = textIn(fields, ['tag', 'category']) ?? (files.length > 1 ? stem : undefined)
        if ('reason' in image) yield image
        else
          yield {
            id: files.length > 1 ? `${stem}/${key}` : key,
            image,
            caption: caption as string,
            negatives: negatives as string[],
            ...(tag !== undefined && { tag })
          }
      }
    }
  }
})
