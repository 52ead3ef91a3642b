import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ChecksumDiffers, ClientGone } from '../../errors.js'
import { storageError } from '../../fs/disk-fault.js'

/** What is received of a body. */
export interface Receiving {
  /** In hex, where it is named. */
  sha256?: string
  signal: AbortSignal
  /** Called with the bytes so far before some of them are written; throws what refuses them. */
  admit: (bytes: number) => Promise<void> | void
}

/**
 * Writes a body of any length to a file, and compares its SHA-256 (hex) where one is named. Throws
 * CHECKSUM_DIFFERS, STORAGE_FULL, what `admit` throws, or the signal's reason; the file is its owner's to
 * remove in any case.
 */
export async function receiveFile(
  body: Readable,
  path: string,
  { sha256, signal, admit }: Receiving
): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  const hashed = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length
      await admit(bytes)
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    await pipeline(body, hashed, createWriteStream(path, { flags: 'wx' }), { signal })
  } catch (error) {
    signal.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') throw new ClientGone()
    throw storageError(error)
  }
  const received = hash.digest('hex')
  if (sha256 !== undefined && sha256.toLowerCase() !== received) throw new ChecksumDiffers(received, sha256)
}
