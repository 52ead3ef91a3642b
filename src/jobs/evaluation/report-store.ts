import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { storageError } from '../../fs/disk-fault.js'
import { syncPath, writeDurably } from '../../fs/durable-write.js'
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
      try {
        // The name of a folder is durable once that which it lies in is.
        if ((await mkdir(folder, { recursive: true })) !== undefined) await syncPath(dataDir)
        await writeDurably(pathOf(id), JSON.stringify(report))
      } catch (error) {
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
