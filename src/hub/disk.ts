import { codeOf, diskFault } from '../fs/disk-fault.js'
import { freeBytes } from '../fs/disk-space.js'
import { bytes } from './bytes.js'

/** Throws an Error when the disk of a folder has less room than needed, in bytes. */
export async function requireSpace(folder: string, needed: number): Promise<void> {
  const free = await freeBytes(folder)
  if (free < needed)
    throw new Error(
      `The disk of ${folder} has ${bytes(free)} free, but ${bytes(needed)} are needed: free space, or ` +
        'set MODELS_DIR to a folder on another disk.'
    )
}

/**
 * What a failure to write under MODELS_DIR means: an Error that says what to do. Other errors come back as
 * they are.
 */
export function diskError(error: unknown, modelsDir: string): unknown {
  const [code, fault] = [codeOf(error), diskFault(error)]
  if (fault === 'full')
    return new Error(
      `The disk of ${modelsDir} is full (${code}). Downloaded data is kept: free space, and run the ` +
        'same command again to continue.',
      { cause: error }
    )
  // Node says ENOENT of a folder in a folder on a read-only disk.
  const unwritable = (error as NodeJS.ErrnoException).syscall === 'mkdir' && code === 'ENOENT'
  if (unwritable || fault === 'read-only' || fault === 'denied' || ['ENOTDIR', 'EEXIST'].includes(code)) {
    return new Error(
      `MODELS_DIR ${modelsDir} can't be written to (${code}): set MODELS_DIR or --models-dir to a ` +
        'writable folder.',
      { cause: error }
    )
  }
  return error
}
