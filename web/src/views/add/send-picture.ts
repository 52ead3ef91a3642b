import { errorOf, SemblanceError } from '../../../../src/client/semblance-error.js'
import type { WriteResult } from '../../../../src/client/shapes.js'
import { formOf } from '../../../../src/client/upload-form.js'
import { apiKey } from '../../connection.js'

export interface PictureRecord {
  id: string
  image: File
  text?: string
  metadata: Record<string, unknown>
}

export interface SendOptions {
  collection: string
  signal: AbortSignal
  /** Hears what share of the bytes has gone, from 0 to 1. */
  onProgress: (share: number) => void
}

/**
 * Sends one picture as a record and gives what became of it. By XMLHttpRequest, since a fetch does not tell
 * how much of its body has gone. Throws a SemblanceError, that of status 0 where the connection fails, an
 * Error where the file can't be read, or the signal's reason.
 */
export function sendPicture(
  { id, image, text, metadata }: PictureRecord,
  { collection, signal, onProgress }: SendOptions
): Promise<WriteResult> {
  const form = formOf({ id, image, text, ...(Object.keys(metadata).length > 0 && { metadata }) })
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = new XMLHttpRequest()
    request.open('POST', `/v1/collections/${encodeURIComponent(collection)}/records`)
    if (apiKey.peek() !== '') request.setRequestHeader('authorization', `Bearer ${apiKey.peek()}`)
    const stop = () => request.abort()
    signal.addEventListener('abort', stop, { once: true })
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0)
    request.onload = () =>
      request.status === 200
        ? resolve((JSON.parse(request.responseText) as { results: WriteResult[] }).results[0])
        : void refusalOf(request).then(reject)
    request.onerror = () => void brokenOff(image).then(reject)
    request.onabort = () => reject(signal.reason)
    request.onloadend = () => signal.removeEventListener('abort', stop)
    request.send(form)
  })
}

/** The error that an answer is, as the client reads it. */
function refusalOf(request: XMLHttpRequest): Promise<SemblanceError> {
  const retryAfter = request.getResponseHeader('retry-after')
  return errorOf(
    new Response(request.responseText, {
      status: request.status,
      ...(retryAfter !== null && { headers: { 'retry-after': retryAfter } })
    })
  )
}

/**
 * Why nothing came of a request: a file that was moved or changed since it was picked fails in the same way
 * as the connection.
 */
async function brokenOff(file: File): Promise<Error> {
  try {
    await file.slice(0, 1).arrayBuffer()
    return new SemblanceError({
      status: 0,
      code: 'UNREACHABLE',
      message: 'The service cannot be reached. Is it still running?'
    })
  } catch {
    return new Error('The file can no longer be read.')
  }
}
