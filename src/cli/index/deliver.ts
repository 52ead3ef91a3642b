import { setTimeout as sleep } from 'node:timers/promises'
import { SemblanceError } from '../../client/semblance-error.js'
import { UnreachableError } from '../exit-codes.js'
import type { Service } from '../service.js'
import type { Batch } from './batches.js'

export interface Delivered {
  name: string
  status: 'created' | 'updated' | 'failed'
  error?: { code: string; message: string }
}

export interface DeliveryOptions {
  collection: string
  signal: AbortSignal
  onDelivered: (delivered: Delivered) => void
}

/** Calls at a time: one is read and encoded here while another is there. */
const AT_A_TIME = 2
/** How long a service that has gone is waited for, in milliseconds: each wait is twice the one before. */
const WAITS_MS = [500, 1000, 2000, 4000, 8000, 16_000]

/**
 * Sends batches, two at a time. Throws what is wrong with all of them; a record that fails leaves the others
 * be.
 */
export async function deliver(
  service: Service,
  batches: AsyncGenerator<Batch>,
  options: DeliveryOptions
): Promise<void> {
  const stop = new AbortController()
  const stopping = AbortSignal.any([stop.signal, options.signal])
  const sendAll = async () => {
    try {
      // A generator hands its batches out one by one, whoever asks.
      for (;;) {
        const { done, value } = await batches.next()
        if (done || stopping.aborted) return
        await sendBatch(service, value, { ...options, stopping })
      }
    } catch (error) {
      stop.abort(error)
    }
  }
  try {
    // A batch that is under way when another fails is waited for: what becomes of it is counted.
    await Promise.all(Array.from({ length: AT_A_TIME }, sendAll))
    stopping.throwIfAborted()
  } finally {
    await batches.return(undefined)
  }
}

interface SendingOptions extends DeliveryOptions {
  /** Aborts once no more is sent. */
  stopping: AbortSignal
}

async function sendBatch(service: Service, batch: Batch, options: SendingOptions): Promise<void> {
  const { collection, signal, stopping, onDelivered } = options
  try {
    const { results } = await whenItIsBack(stopping, () =>
      service.api.post('/v1/collections/{collection}/records', {
        params: { path: { collection } },
        body: { records: batch.map(({ record }) => record) },
        signal
      })
    )
    for (const [i, { status, error }] of results.entries())
      onDelivered({ name: batch[i].name, status, ...(error && { error }) })
  } catch (error) {
    if (!(error instanceof SemblanceError) || error.status !== 413) throw error
    // The service takes smaller bodies than it does by default, or what is before it.
    if (batch.length === 1)
      return onDelivered({
        name: batch[0].name,
        status: 'failed',
        error: { code: error.code, message: error.message }
      })
    const middle = batch.length >> 1
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) await sendBatch(service, half, options)
  }
}

/**
 * The same record twice is the record once, so that what may have arrived is sent again when the service is
 * back.
 */
async function whenItIsBack<T>(signal: AbortSignal, send: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof UnreachableError) || tries === WAITS_MS.length) throw error
      await sleep(WAITS_MS[tries], undefined, { signal })
    }
  }
}
