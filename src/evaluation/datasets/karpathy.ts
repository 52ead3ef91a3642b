import { basename } from 'node:path'
import { captionedItems, captionFault } from './captions.js'
import type { Reader } from './opened.js'
import { fieldsOf, listOf, readJson } from './read-json.js'
import { chooseSplit, splitOf } from './splits.js'

/**
 * Karpathy's splits of COCO, Flickr8k and Flickr30k (Karpathy and Fei-Fei 2015). `restval` is part of the
 * training set, as is usual.
 */
export const openKarpathy: Reader = async ({ files: [path], images, split: wanted }) => {
  const read = async () =>
    listOf(await readJson(path), { key: 'images', path }).map(
      (image) => ({ ...image, split: nameOf(image.split) }) as Record<string, unknown> & { split: string }
    )
  let first: Awaited<ReturnType<typeof read>> | undefined = await read()
  const split = chooseSplit(
    first.map((image) => image.split),
    { wanted, path }
  )
  return {
    kind: 'captions',
    split: split ?? 'all',
    async *items() {
      const all = first ?? (await read())
      first = undefined
      for (const [i, image] of all.entries()) {
        if (split !== undefined && image.split !== split) continue
        const { filename, filepath } = image
        const captions = (Array.isArray(image.sentences) ? image.sentences : []).map(
          (sentence) => fieldsOf(sentence).raw
        )
        const reason =
          typeof filename !== 'string'
            ? 'It has no filename.'
            : (captionFault(captions[0]) ?? captions.map(captionFault).find((fault) => fault !== undefined))
        if (reason !== undefined) yield { name: `${basename(path)}: ${filename ?? `image ${i}`}`, reason }
        else
          yield* captionedItems(
            [
              {
                files: [
                  ...(typeof filepath === 'string' ? [`${filepath}/${filename}`] : []),
                  filename as string
                ],
                captions: captions as string[]
              }
            ],
            images
          )
      }
    }
  }
}

function nameOf(split: unknown): string {
  return split === 'restval' ? 'train' : (splitOf(String(split)) ?? String(split))
}
