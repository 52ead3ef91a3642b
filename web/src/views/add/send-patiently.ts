import { signal as createSignal } from '@preact/signals'
import { wait } from '../../../../src/client/retry.js'
import { SemblanceError } from '../../../../src/client/semblance-error.js'
import { call } from '../../connection.js'
import { sendPicture, type SendOptions } from './send-picture.js'
import type { Upload } from './upload-list.js'

export interface UploadTarget {
  collection: string
  /** For every record. */
  metadata: Record<string, unknown>
  /** Adds the folder of each file to its metadata. */
  withFolder: boolean
}

/** Waits where the service does not say how long, in milliseconds. */
const PAUSE_MS = 1000
/** Tries of a file while the service is about to be back (503, or no answer). */
const TRIES = 5

/**
 * Until when the service wants to be left alone, in milliseconds since 1970: by all, since it is one service.
 */
export const pausedUntil = createSignal<number | undefined>(undefined)

/**
 * Sends a picture, and again: while the service is full (429) for as long as it is, and some times while it
 * is not there. Throws as `sendPicture`.
 */
export async function sendPatiently(
  { path, file, caption }: Upload,
  { collection, metadata, withFolder }: UploadTarget,
  { signal, onProgress }: Omit<SendOptions, 'collection'>
) {
  const text = (await caption?.text())?.trim()
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
  const record = {
    id: path,
    image: file,
    ...(text && { text }),
    metadata: { ...metadata, ...(withFolder && folder !== '' && { folder }) }
  }
  for (let tries = 1; ;) {
    await pauseIsOver(signal)
    try {
      return await call(() => sendPicture(record, { collection, signal, onProgress }))
    } catch (error) {
      if (signal.aborted || !(error instanceof SemblanceError)) throw error
      const { status, retryAfter } = error
      if (status === 0 && tries >= TRIES && (await isThere()))
        throw new Error('The connection broke each time the file was sent.', { cause: error })
      if (status !== 429 && ((status !== 503 && status !== 0) || tries++ >= TRIES)) throw error
      onProgress(0)
      pausedUntil.value = Date.now() + (retryAfter === undefined ? PAUSE_MS : retryAfter * 1000)
    }
  }
}

async function pauseIsOver(signal: AbortSignal): Promise<void> {
  for (let until = pausedUntil.peek(); until !== undefined; until = pausedUntil.peek()) {
    if (until <= Date.now()) pausedUntil.value = undefined
    else await wait(until - Date.now(), signal)
  }
}

/** Whether the service answers at all: then it is one file that does not come through. */
async function isThere(): Promise<boolean> {
  return fetch('/health/live').then(
    ({ ok }) => ok,
    () => false
  )
}
