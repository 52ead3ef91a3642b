import { captionFault } from './captions.js'
import { namedRows, textIn } from './named-rows.js'
import type { Reader } from './opened.js'

/**
 * Pairs of images and captions in the layout of Winoground's examples.jsonl (Thrush et al. 2022), whose
 * images are named without an extension.
 */
export const openWinoground: Reader = async ({ files: [path], images }) => ({
  kind: 'pairs',
  async *items() {
    for await (const row of namedRows(path)) {
      if ('reason' in row) {
        yield row
        continue
      }
      const { name, key, fields } = row
      const [first, second] = [textIn(fields, ['image_0']), textIn(fields, ['image_1'])]
      const captions = [fields.caption_0, fields.caption_1]
      const reason =
        first === undefined || second === undefined
          ? 'It lacks image_0 or image_1.'
          : (captionFault(captions[0]) ?? captionFault(captions[1]))
      if (reason !== undefined) {
        yield { name, reason }
        continue
      }
      const [left, right] = [await images.find(first!), await images.find(second!)]
      const tag = textIn(fields, ['collapsed_tag', 'tag'])
      if ('reason' in left) yield left
      else if ('reason' in right) yield right
      else
        yield {
          id: String(fields.id ?? key),
          images: [left, right],
          captions: captions as [string, string],
          ...(tag !== undefined && { tag })
        }
    }
  }
})
