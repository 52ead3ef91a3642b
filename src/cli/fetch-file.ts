import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { SemblanceError } from '../client/semblance-error.js'
import { fileDigest } from '../collections/file-digest.js'
import { renameDurably } from '../fs/durable-write.js'
import { host } from './host.js'
import type { Service } from './service.js'

export interface FileToFetch {
  path: string
  /** Where it goes, when it is whole; until then it lies beside that with `.partial`. */
  target: string
  signal: AbortSignal
  headers?: Record<string, string>
  /** What the file must be, where that is known: then a download that is cut off continues where it was. */
  expected?: { bytes: number; sha256: string }
  /** Told of the answer's headers, and of what comes. */
  onAnswer?: (headers: Headers) => void
  onChunk?: (chunk: Uint8Array) => void
}

const TRIES = 5
const WAIT_MS = 500

/**
 * Fetches a file, checks it, and puts it in its place. Returns its ETag. Throws with what went wrong; then
 * there is no file.
 */
export async function fetchFile(service: Service, file: FileToFetch): Promise<string> {
  const partial = `${file.target}.partial`
  const { transferProgress } = await import('./transfer-progress.js')
  const progress = transferProgress(host().stderr, basename(file.target))
  try {
    await rm(partial, { force: true })
    const etag = await receive(service, { ...file, partial, onProgress: progress.onProgress })
    const { expected } = file
    const sha256 = expected && (await fileDigest(partial))
    if (expected && sha256 !== expected.sha256)
      throw new Error(
        `The received file has the SHA-256 ${sha256}, but should have ${expected.sha256}: something ` +
          'between this machine and the service changes it.'
      )
    await renameDurably(partial, file.target)
    return etag
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  } finally {
    progress.stop()
  }
}

interface Receiving extends FileToFetch {
  partial: string
  onProgress: (done: number, total: number) => void
}

/** Receives the bytes, going on with what broke off where the file is known. */
async function receive(service: Service, file: Receiving): Promise<string> {
  for (let failures = 0; ;) {
    const before = await sizeOf(file.partial)
    try {
      return await receiveRest(service, file, before)
    } catch (error) {
      if (file.signal.aborted || !file.expected || error instanceof SemblanceError) throw error
      if ((await sizeOf(file.partial)) > before) failures = 0
      if (++failures === TRIES)
        throw new Error(
          `The connection broke ${TRIES} times, most recently with: ${(error as Error).message}`,
          { cause: error }
        )
      await sleep(WAIT_MS * failures, undefined, { signal: file.signal })
    }
  }
}

async function receiveRest(
  service: Service,
  { path, partial, headers, expected, signal, onProgress, onAnswer, onChunk }: Receiving,
  offset: number
): Promise<string> {
  if (expected && offset === expected.bytes) return `"${expected.sha256}"`
  const ranged: Record<string, string> =
    expected && offset > 0 ? { range: `bytes=${offset}-`, 'if-range': `"${expected.sha256}"` } : {}
  const answer = await service.send(path, { signal, headers: { ...headers, ...ranged } })
  onAnswer?.(answer.headers)
  const start = answer.status === 206 ? offset : 0
  const total = expected?.bytes ?? Number(answer.headers.get('content-length') ?? 0)
  let received = start
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      received += chunk.length
      onChunk?.(chunk)
      yield chunk
      onProgress(received, total)
    }
  }
  await pipeline(answer.body!, counted, createWriteStream(partial, { flags: start > 0 ? 'a' : 'w' }), {
    signal
  })
  if (expected && received !== expected.bytes)
    throw new Error(`it ended after ${received} of ${expected.bytes} bytes`)
  return answer.headers.get('etag') ?? ''
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0
  )
}
