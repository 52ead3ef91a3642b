import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { relative } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** Changes when our own preprocessing (decoding, resampling, truncation) would give other embeddings. */
const PREPROCESSING_VERSION = 1

/**
 * SHA-256, in hex, over all that an embedding depends on: the contents of the package's files with their
 * names relative to its folder, and the version of our preprocessing.
 */
export async function fingerprint(folder: string, files: string[]): Promise<string> {
  const hash = createHash('sha256').update(`preprocessing ${PREPROCESSING_VERSION}\n`)
  for (const file of [...files].sort()) {
    const content = createHash('sha256')
    await pipeline(createReadStream(file), content)
    hash.update(`${relative(folder, file)} ${content.digest('hex')}\n`)
  }
  return hash.digest('hex')
}
