import { chown, mkdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { writeDurably } from '../fs/durable-write.js'
import { withLock } from '../fs/exclusive-lock.js'
import { parseKeyFile, readKeyFile, type FileKey } from './key-file.js'

/**
 * Changes a file of API keys, or makes one: written aside with mode 600, synced, renamed, so that a service
 * which reads it meanwhile sees the old or the new one. Two changes take turns. Throws an Error that says
 * what is wrong; then nothing is changed.
 */
export async function changeKeyFile(path: string, change: (keys: FileKey[]) => FileKey[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  // A link stays one: what it leads to is replaced.
  const target = await realpath(path).catch(() => path)
  const folder = dirname(target)
  const lock = {
    path: join(folder, `.${basename(target)}.lock`),
    signal: AbortSignal.timeout(WAIT_MS),
    onWait: () => undefined
  }
  await withLock(lock, async () => {
    const before = await stat(target).catch(() => undefined)
    const keys = change(before ? (await readKeyFile(target)).file.keys : [])
    const text = JSON.stringify({ keys }, null, 2) + '\n'
    parseKeyFile(text, path)
    await writeDurably(target, text, {
      aside: join(folder, `.${basename(target)}.new`),
      mode: 0o600,
      prepare: async (aside) => {
        if (before) await giveTo(aside, before)
      }
    })
  }).catch((error: Error) => {
    throw error.name === 'TimeoutError' || error.name === 'AbortError'
      ? new Error(`${path} is being changed by another process.`)
      : error
  })
}

/** How long another change is waited for, in milliseconds. */
const WAIT_MS = 10_000

/** The service's user must still be able to read what, say, root has changed. */
async function giveTo(path: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const own = await stat(path)
  if (own.uid !== uid || own.gid !== gid) await chown(path, uid, gid)
}
