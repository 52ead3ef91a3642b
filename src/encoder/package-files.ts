import { readFile } from 'node:fs/promises'
import { exists } from '../fs/exists.js'

/**
 * Reads a JSON file of a package, or the fallback where there is no such file. Throws an Error that names it.
 */
export async function readJson<T>(path: string, fallback?: T): Promise<T> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if (fallback !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return fallback
    throw new Error(`The model package's ${path} can't be read: ${(error as Error).message}`, {
      cause: error
    })
  }
}

/** Throws an Error that names the file which is not there. */
export async function requireFiles(paths: string[]): Promise<void> {
  for (const path of paths) if (!(await exists(path))) throw new Error(`The model package lacks ${path}.`)
}
