import { signal } from '@preact/signals'
import { SemblanceError } from '../../../../src/client/semblance-error.js'
import { messageOf } from '../../connection.js'
import { sendPatiently, type UploadTarget } from './send-patiently.js'
import { createUploadList } from './upload-list.js'

/** The pictures that are put in; still there after a look at another view. */
export const uploads = createUploadList()
/** Where they go, while they do. */
export const uploading = signal<UploadTarget | undefined>(undefined)
/** Where the last ones went. */
export const uploadedTo = signal<string | undefined>(undefined)
/** What stopped all of it. */
export const uploadProblem = signal<unknown>(undefined)

/** Files that are sent at once. */
const AT_ONCE = 4

/** Answers that all other files would get, too. */
const STOPS_ALL = new Set([0, 401, 403, 404, 409, 507])

let stopping = new AbortController()

/** Sends what waits into a collection, a few files at once, until none waits or something stops all of it. */
export async function startUploads(target: UploadTarget): Promise<void> {
  if (uploading.value) return
  stopping = new AbortController()
  uploadProblem.value = undefined
  uploading.value = target
  uploadedTo.value = target.collection
  addEventListener('beforeunload', askBeforeLeaving)
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(target, stopping)))
  removeEventListener('beforeunload', askBeforeLeaving)
  uploading.value = undefined
}

/** Stops sending; what was on its way waits again. */
export function stopUploads(): void {
  stopping.abort(new DOMException('Stopped.', 'AbortError'))
}

/** Puts those that failed back into the queue. */
export function retryFailed(): void {
  for (const item of uploads.items) if (item.state === 'failed') uploads.setState(item, 'queued')
}

async function work(target: UploadTarget, stop: AbortController): Promise<void> {
  for (let item = uploads.next(); item && !stop.signal.aborted; item = uploads.next()) {
    const current = item
    uploads.setState(current, 'sending')
    try {
      const { status, error } = await sendPatiently(current, target, {
        signal: stop.signal,
        onProgress: (share) => uploads.setSent(current, share)
      })
      uploads.setState(current, status, error?.message)
    } catch (error) {
      const stopsAll = error instanceof SemblanceError && STOPS_ALL.has(error.status)
      if (stop.signal.aborted || stopsAll) uploads.setState(current, 'queued')
      else uploads.setState(current, 'failed', messageOf(error))
      if (stopsAll && !stop.signal.aborted) {
        uploadProblem.value = error
        stop.abort()
      }
    }
  }
}

function askBeforeLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault()
}
