import { basename } from 'node:path'
import type { DatasetFault } from './dataset.js'
import { captionedItems, captionFault, type Described } from './captions.js'
import type { Reader } from './opened.js'
import { listOf, readJson } from './read-json.js'

/** COCO captions: https://cocodataset.org/#format-data. A file is read whole, with few bytes an image. */
export const openCoco: Reader = async ({ files: [path], images }) => ({
  kind: 'captions',
  async *items() {
    const document = await readJson(path)
    const faults: DatasetFault[] = []
    const described = new Map<unknown, Described>()
    for (const [i, { id, file_name: file }] of listOf(document, { key: 'images', path }).entries()) {
      if (id === undefined || typeof file !== 'string')
        faults.push({ name: `${basename(path)}: image ${i}`, reason: 'It has no id or no file_name.' })
      else if (described.has(id))
        faults.push({ name: `${basename(path)}: image ${id}`, reason: 'Another image has its id.' })
      else described.set(id, { files: [file], captions: [] })
    }
    for (const [i, { id, image_id: image, caption }] of listOf(document, {
      key: 'annotations',
      path
    }).entries()) {
      const known = described.get(image)
      const reason = known ? captionFault(caption) : `There is no image ${image}.`
      if (reason === undefined) known!.captions.push(caption as string)
      else faults.push({ name: `${basename(path)}: annotation ${id ?? i}`, reason })
    }
    yield* faults
    for (const [id, { files, captions }] of described) {
      if (captions.length > 0) continue
      yield { name: files[0], reason: `It has no caption.` }
      described.delete(id)
    }
    yield* captionedItems(described.values(), images)
  }
})
