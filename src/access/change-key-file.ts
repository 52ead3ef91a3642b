import { chown, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { withLock } from '../hub/exclusive-lock.js'
import { sync } from '../hub/sync.js'
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
    const aside = join(folder, `.${basename(target)}.new`)
    await rm(aside, { force: true })
    try {
      await write(aside, text)
      if (before) await giveTo(aside, before)
      await rename(aside, target)
    } catch (error) {
      await rm(aside, { force: true })
      throw error
    }
    await sync(folder)
  }).catch((error: Error) => {
    throw error.name === 'TimeoutError' || error.name === 'AbortError'
      ? new Error(`${path} is being changed by another process.`)
      : error
  })
}

/** How long another change is waited for, in milliseconds. */
const WAIT_MS = 10_000

async function write(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The service's user must still be able to read what, say, root has changed. */
async function giveTo(path: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const own = await stat(path)
  if (own.uid !== uid || own.gid !== gid) await chown(path, uid, gid)
}
