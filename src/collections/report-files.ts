import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { storageError } from '../fs/disk-fault.js'
import { syncPath, writeDurably } from '../fs/durable-write.js'
import { unlessMissing } from '../fs/unless-missing.js'
import type { ReportStore } from './stores/report-store.js'

/** The names that are written here; the folder's other files are somebody else's. */
const OWN_NAME = /^([0-9a-f-]{36})\.json(\.partial)?$/

/** The reports of a data folder, each in `DATA_DIR/evaluations/<id>.json`. */
export function createReportFiles(dataDir: string): ReportStore {
  const folder = join(dataDir, 'evaluations')
  const pathOf = (id: string) => join(folder, `${id}.json`)
  return {
    read: (id) => readFile(pathOf(id), 'utf8').catch(unlessMissing),
    write: async (id, report) => {
      try {
        // The name of a folder is durable once that which it lies in is.
        if ((await mkdir(folder, { recursive: true })) !== undefined) await syncPath(dataDir)
        await writeDurably(pathOf(id), report)
      } catch (error) {
        throw storageError(error)
      }
    },
    remove: (id) => rm(pathOf(id), { force: true }),
    sweep: async (known) => {
      const ids = new Set(known)
      const names = await readdir(folder).catch(() => [])
      for (const name of names) {
        const [, id, partial] = OWN_NAME.exec(name) ?? []
        if (id !== undefined && (partial || !ids.has(id)))
          await rm(join(folder, name), { force: true }).catch(() => undefined)
      }
    }
  }
}
