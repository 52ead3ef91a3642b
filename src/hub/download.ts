import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Dispatcher } from 'undici'
import { renameDurably } from '../fs/durable-write.js'
import { digestFile, matches, sameKind } from './checksum.js'
import { retryPolicy, type Hub } from './hub.js'
import { networkError } from './network-error.js'
import type { RepoFile } from './repo-listing.js'
import type { RepoRevision } from './repo-name.js'
import { getFromHub } from './request.js'
import { retrying } from './retry.js'
import { TransientError } from './transient-error.js'

/** A file to download; `revision` is the commit, so that what an address answers never changes. */
export interface Download extends RepoRevision {
  file: RepoFile
  /**
   * Where the checked file goes; what is not whole yet lies beside it with `.partial`, its ETag in
   * `.partial.etag`.
   */
  target: string
  /** Called with the bytes of the file that are there. */
  onProgress: (bytes: number) => void
}

const partialOf = ({ target }: Download) => `${target}.partial`
const etagOf = ({ target }: Download) => `${target}.partial.etag`

/**
 * Downloads a file, going on from what an earlier try or process left, checks it and puts it in its place,
 * synced. Returns its SHA-256. Throws an Error that says what to do; a partial stays unless its checksum is
 * wrong.
 */
export async function downloadFile(hub: Hub, download: Download): Promise<string> {
  await mkdir(dirname(download.target), { recursive: true })
  let most = await sizeOf(partialOf(download))
  const onProgress = (bytes: number) => {
    most = Math.max(most, bytes)
    download.onProgress(bytes)
  }
  const attempt = async () => {
    const resumed = await fetchRest(hub, { ...download, onProgress })
    return settle(hub, download, resumed)
  }
  return retrying(attempt, { ...retryPolicy(hub, download.file.path), progress: () => most })
}

/** The bytes of a partial that are on disk, for counting what is left. */
export async function partialSize(target: string, size: number): Promise<number> {
  const there = await sizeOf(`${target}.partial`)
  return there <= size ? there : 0
}

/** Gets what the partial lacks. Returns whether it holds bytes of an earlier try. */
async function fetchRest(hub: Hub, download: Download): Promise<boolean> {
  const { file, repo, revision } = download
  const offset = await partialSize(download.target, file.size)
  if (offset === file.size && offset > 0) return true
  const path = file.path.split('/').map(encodeURIComponent).join('/')
  const url = `${hub.endpoint}/${repo}/resolve/${revision}/${path}`
  const headers = offset > 0 ? await rangeHeaders(etagOf(download), offset) : {}
  const answer = await getFromHub(hub, { repo, revision, url, headers, accept: [416] })
  if (answer.statusCode === 416) {
    await answer.body.dump()
    await discard(download)
    throw new TransientError(`the download of ${file.path} can't be resumed and starts again`)
  }
  const start = startOf(answer, offset)
  await receive(hub, download, { answer, start })
  return start > 0
}

/**
 * An ETag that is not strong says nothing of bytes; the commit in the address and the checksum stand in for
 * it.
 */
async function rangeHeaders(etagFile: string, offset: number): Promise<Record<string, string>> {
  const etag = await readFile(etagFile, 'utf8').catch(() => '')
  return { range: `bytes=${offset}-`, ...(/^"[\x21-\x7e]*"$/.test(etag) && { 'if-range': etag }) }
}

/** The byte at which an answer starts: the one asked for, or 0 when the server sends all. */
function startOf({ statusCode, headers }: Dispatcher.ResponseData, offset: number): number {
  if (statusCode !== 206) return 0
  const start = /^bytes (\d+)-/.exec(String(headers['content-range'] ?? ''))?.[1]
  if (Number(start) === offset) return offset
  throw new Error(
    'The hub answered with a different range than requested (content-range ' +
      `'${headers['content-range'] ?? ''}').`
  )
}

async function receive(
  hub: Hub,
  download: Download,
  { answer, start }: { answer: Dispatcher.ResponseData; start: number }
): Promise<void> {
  const { file, onProgress } = download
  let received = start
  onProgress(received)
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      received += chunk.length
      if (received > file.size)
        throw new Error(`The hub sent more than the ${file.size} bytes that it lists for ${file.path}.`)
      yield chunk
      onProgress(received)
    }
  }
  if (start === 0) {
    // Emptied before the ETag is noted: an ETag must never stand beside bytes of another answer.
    await writeFile(partialOf(download), '')
    await writeFile(etagOf(download), String(answer.headers.etag ?? ''))
  }
  const partial = createWriteStream(partialOf(download), { flags: 'a', flush: true })
  await pipeline(answer.body, counted, partial, { signal: hub.signal }).catch((error) => {
    throw networkError(error, new URL(hub.endpoint))
  })
  if (received < file.size)
    throw new TransientError(`${file.path} ended after ${received} of ${file.size} bytes`)
}

/** Checks a partial that has its full size and puts it in its place. */
async function settle(hub: Hub, download: Download, resumed: boolean): Promise<string> {
  const { file, target } = download
  const digest = await digestFile(partialOf(download), hub.signal)
  if (!matches(file, digest)) {
    await discard(download)
    // A power cut can leave zeros in what was there before: that is worth one more try from the start.
    if (resumed)
      throw new TransientError(`the resumed download of ${file.path} has the wrong checksum and starts again`)
    throw new Error(
      `${file.path} has the wrong checksum: expected ${file.checksum.algorithm} ${file.checksum.hex}, ` +
        `got ${sameKind(file.checksum, digest)}. The file was deleted; pull again. If the error ` +
        'persists, something between this machine and the hub changes the file.'
    )
  }
  await renameDurably(partialOf(download), target)
  await rm(etagOf(download), { force: true })
  return digest.sha256
}

async function discard(download: Download): Promise<void> {
  await rm(partialOf(download), { force: true })
  await rm(etagOf(download), { force: true })
  download.onProgress(0)
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0
  )
}
