import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

/** The SHA-256 of a file, in hex; undefined when it was stopped before the end. */
export async function fileDigest(path: string, isStopped: () => boolean): Promise<string | undefined>
export async function fileDigest(path: string): Promise<string>
export async function fileDigest(path: string, isStopped = () => false): Promise<string | undefined> {
  const hash = createHash('sha256')
  const handle = await open(path)
  try {
    // One buffer for all: a stream makes a new one for each read, which stay until garbage is collected.
    const buffer = Buffer.allocUnsafe(1 << 20)
    for (let read = -1; read !== 0;) {
      if (isStopped()) return undefined
      ;({ bytesRead: read } = await handle.read(buffer))
      hash.update(buffer.subarray(0, read))
    }
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}
