import { readFile } from 'node:fs/promises'
import type { Encoder } from '../../encoder/encoder.js'
import type { LoadedDataset } from '../datasets/dataset.js'
import { imagesOf } from '../datasets/dataset-parts.js'
import { forEachConcurrently } from '../embedding/for-each-concurrently.js'
import type { Shown, TaskReport } from '../report.js'

/** Thumbnails that are made at a time. */
const AT_ONCE = 8

/**
 * Thumbnails, WebP in base64, of the images that the worst queries of some tasks show, by dataset and image
 * id. One that can't be made is left out.
 */
export async function worstPictures(
  dataset: LoadedDataset,
  tasks: TaskReport[],
  { encoder, signal }: { encoder: Encoder; signal?: AbortSignal }
): Promise<Record<string, string>> {
  const shown = new Set(
    tasks.flatMap(({ worst = [] }) =>
      worst.flatMap(({ queries }) =>
        queries.flatMap(({ query, expected, returned }) =>
          [query, ...expected, ...returned.map((one) => one.shown)].flatMap(idOf)
        )
      )
    )
  )
  const pictures: Record<string, string> = {}
  await forEachConcurrently(
    imagesOf(dataset).filter(({ id }) => shown.has(id)),
    AT_ONCE,
    async ({ id, path }) => {
      signal?.throwIfAborted()
      try {
        const thumbnail = await encoder.thumbnail(await readFile(path), { lane: 'bulk', signal })
        pictures[`${dataset.name} ${id}`] = Buffer.from(thumbnail).toString('base64')
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof Error)) throw error
      }
    }
  )
  return pictures
}

function idOf(shown: Shown): string[] {
  return 'image' in shown ? [shown.image] : []
}
