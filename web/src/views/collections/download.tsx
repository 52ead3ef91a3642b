import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { errorOf } from '../../../../src/client/semblance-error.js'
import { apiKey, call } from '../../connection.js'
import { Failure } from '../../failure.js'
import { formatBytes } from '../../format.js'
import { Icon } from '../../icon.js'
import { useAction } from '../../use-action.js'

interface DownloadProps {
  path: string
  /** What the file is called on the user's machine. */
  fileName: string
  children: string
  /** Said in place of the words in sight, where these are the same for many. */
  label?: string
}

/** So long the browser may take to begin with a file that is in its hands, in milliseconds. */
const HANDED_OVER_MS = 60_000

/** A file of the service. A link can't carry a key: with one it is fetched first, and then handed over. */
export function Download({ path, fileName, children, label }: DownloadProps) {
  const received = useSignal(0)
  const stop = useRef(new AbortController())
  useEffect(() => () => stop.current.abort(), [])
  const fetching = useAction(async () => {
    stop.current = new AbortController()
    received.value = 0
    const blob = await call(() => fetchFile(path, stop.current.signal, (bytes) => (received.value += bytes)))
    const url = URL.createObjectURL(blob)
    Object.assign(document.createElement('a'), { href: url, download: fileName }).click()
    setTimeout(() => URL.revokeObjectURL(url), HANDED_OVER_MS)
  })
  if (apiKey.value === '')
    return (
      <a class="button" href={path} download={fileName} aria-label={label}>
        <Icon name="download" />
        {children}
      </a>
    )
  return (
    <>
      {fetching.isBusy ? (
        <button
          type="button"
          onClick={() => stop.current.abort()}
        >{`${formatBytes(received.value)}: stop`}</button>
      ) : (
        <button type="button" aria-label={label} onClick={fetching.start}>
          <Icon name="download" />
          {children}
        </button>
      )}
      {fetching.error !== undefined && <Failure error={fetching.error} retry={fetching.start} />}
    </>
  )
}

/** Fetches a file with the key. The browser keeps large blobs on its disk. */
async function fetchFile(path: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<Blob> {
  const response = await fetch(path, { headers: { authorization: `Bearer ${apiKey.peek()}` }, signal })
  if (!response.ok) throw await errorOf(response)
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      onBytes(chunk.length)
      controller.enqueue(chunk)
    }
  })
  return new Response(response.body!.pipeThrough(counted)).blob()
}
