import { isUtf8 } from 'node:buffer'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fault } from './fault.js'

/** What a folder holds, by name: itself and what is below it. */
export interface Folder {
  /** Where it is. */
  path: string
  /** Below the folder that the walk started at, with slashes and one at the end; empty for that itself. */
  below: string
  files: string[]
  folders: string[]
  /** Links to folders. */
  links: string[]
  faults: Fault[]
}

/**
 * What is in a folder, sorted, so that every run goes the same way. Names that start with a dot are passed
 * over. Links to files are as good as files; links to folders are not followed, since they may lead round. A
 * folder that can't be read is a fault, and so is a link that may lead to a file.
 */
export async function readFolder(path: string, below: string): Promise<Folder> {
  const folder: Folder = { path, below, files: [], folders: [], links: [], faults: [] }
  const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' }).catch((error: Error) => {
    folder.faults.push({
      name: below || path,
      reason: `The folder can't be read: ${error.message}`,
      hides: true
    })
    return []
  })
  for (const entry of entries) {
    const name = entry.name.toString()
    if (name.startsWith('.')) continue
    if (!isUtf8(entry.name))
      folder.faults.push({ name: below + name, reason: 'The file name is not UTF-8; rename the file.' })
    else if (entry.isDirectory()) folder.folders.push(name)
    else if (entry.isFile()) folder.files.push(name)
    else if (entry.isSymbolicLink()) await addLink(folder, name)
  }
  folder.files.sort()
  folder.folders.sort()
  return folder
}

/**
 * What says that a link leads nowhere; after other errors, such as those of a disk, what it leads to may be
 * there.
 */
const NOWHERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

async function addLink({ path, below, files, links, faults }: Folder, name: string): Promise<void> {
  try {
    const found = await stat(join(path, name))
    if (found.isFile()) files.push(name)
    else if (found.isDirectory()) links.push(name)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!NOWHERE.has(code ?? ''))
      faults.push({ name: below + name, reason: `The link can't be followed: ${message}`, hides: true })
  }
}
