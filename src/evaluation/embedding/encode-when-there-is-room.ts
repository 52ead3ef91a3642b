import { setTimeout as sleep } from 'node:timers/promises'
import type { EncodeOptions, Encoder } from '../../encoder/encoder.js'
import { isPublicError } from '../../errors.js'

const BUSY_WAIT_MS = 500
/** How often a worker's death is borne on one input, which may have been its cause. */
const MOST_DEATHS = 3
/**
 * How long workers are waited for that are down: longer than the pauses after which they are started again.
 */
const LONGEST_DOWN_MS = 5 * 60_000

/** Encodes when the bulk lane has room, and again where a worker died or is down, or others took the room. */
export async function encodeWhenThereIsRoom<T>(
  { encoder, signal, sharing }: { encoder: Encoder; signal?: AbortSignal; sharing?: string },
  encode: (options: EncodeOptions) => Promise<T>
): Promise<T> {
  const startedAt = performance.now()
  for (let deaths = 0; ;) {
    await encoder.waitForCapacity({ signal })
    try {
      return await encode({ lane: 'bulk', signal, sharing })
    } catch (error) {
      const code = isPublicError(error) ? error.code : ''
      if (code === 'WORKER_DIED') deaths++
      if (!['QUEUE_FULL', 'WORKER_DIED', 'WORKERS_DOWN'].includes(code) || deaths === MOST_DEATHS) throw error
      if (code === 'WORKERS_DOWN' && performance.now() - startedAt > LONGEST_DOWN_MS) throw error
      await sleep(BUSY_WAIT_MS, undefined, { signal })
    }
  }
}
