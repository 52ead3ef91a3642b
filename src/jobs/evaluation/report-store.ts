import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { storageError } from '../../collections/storage-error.js'
import { syncPath } from '../../collections/sync-path.js'
import type { Report } from '../../evaluation/report.js'

/** The reports of evaluations, each in `DATA_DIR/evaluations/<id>.json`. */
export interface ReportStore {
  /** Undefined where there is none. */
  read(id: string): Promise<Report | undefined>
  /**
   * It survives a power cut once this resolves. Throws STORAGE_FULL and STORAGE_UNWRITABLE, and leaves
   * nothing half written under its name.
   */
  write(id: string, report: Report): Promise<void>
  remove(id: string): Promise<void>
  /** Removes what a crash left behind: half-written files, and reports that nobody knows of. */
  sweep(isKnown: (id: string) => boolean): Promise<void>
}

const PARTIAL = '.partial'
/** The names that are written here; the folder's other files are somebody else's. */
const OWN_NAME = /^([0-9a-f-]{36})\.json(\.partial)?$/

/** The reports of a data folder. */
export function reportStore(dataDir: string): ReportStore {
  const folder = join(dataDir, 'evaluations')
  const pathOf = (id: string) => join(folder, `${id}.json`)
  return {
    read: async (id) => {
      try {
        return JSON.parse(await readFile(pathOf(id), 'utf8')) as Report
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    write: async (id, report) => {
      const aside = pathOf(id) + PARTIAL
      try {
        // The name of a folder is durable once that which it lies in is.
        if ((await mkdir(folder, { recursive: true })) !== undefined) syncPath(dataDir)
        const file = await open(aside, 'w')
        try {
          await file.writeFile(JSON.stringify(report))
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(aside, pathOf(id))
        syncPath(folder)
      } catch (error) {
        await rm(aside, { force: true }).catch(() => undefined)
        throw storageError(error)
      }
    },
    remove: (id) => rm(pathOf(id), { force: true }),
    sweep: async (isKnown) => {
      const names = await readdir(folder).catch(() => [])
      for (const name of names) {
        const [, id, partial] = OWN_NAME.exec(name) ?? []
        if (id !== undefined && (partial || !isKnown(id)))
          await rm(join(folder, name), { force: true }).catch(() => undefined)
      }
    }
  }
}
