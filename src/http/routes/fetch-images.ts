import type { Faulty, NewRecord } from '../../records/ingest.js'
import type { Line } from './bulk-line.js'
import type { LoadRecord } from './load-record.js'

/** How many images of one bulk load are fetched ahead of those that are encoded. */
const AHEAD = 16

/** Bytes of fetched images after which a part of a batch goes on its way. */
const PART_BYTES = 8 << 20

/**
 * Fetches the images of a batch that are named by url, and gives the batch on in parts that are not heavy:
 * lines are short where images are not. A record whose image does not come turns faulty. Throws what ends the
 * whole load.
 */
export async function* fetchImages<Extra extends object>(
  batch: (Line & Extra)[],
  load: LoadRecord
): AsyncGenerator<(Line<NewRecord | Faulty> & Extra)[]> {
  const started: Promise<NewRecord | Faulty>[] = []
  let part: (Line<NewRecord | Faulty> & Extra)[] = []
  let bytes = 0
  for (const [i, line] of batch.entries()) {
    for (let ahead = started.length; ahead < Math.min(batch.length, i + AHEAD); ahead++) {
      const next = batch[ahead]
      const fetched = 'record' in next ? load(next.record) : Promise.resolve({ id: '', error: undefined })
      // Its error shows when its turn comes, which it may not.
      fetched.catch(() => {})
      started.push(fetched)
    }
    const record = await started[i]
    part.push('record' in line ? { ...line, record } : line)
    if (!('record' in line) || line.record.image instanceof Uint8Array) continue
    bytes += 'image' in record ? (record.image?.length ?? 0) : 0
    if (bytes < PART_BYTES) continue
    yield part
    part = []
    bytes = 0
  }
  if (part.length > 0) yield part
}
