import { version } from '../version.js'
import { openBackups } from './backups/backups.js'
import { openCollections } from './collections.js'
import { startExpirySweep } from './expiry-sweep.js'
import { createExports } from './exports/exports.js'
import {
  createClassifierStore,
  createImageStore,
  createJobStore,
  createMarkerStore,
  folderHealth
} from './folder-stores.js'
import type { StoreOptions } from './folder-threads.js'
import { openFolder } from './folder.js'
import { createReportFiles } from './report-files.js'
import type { Store } from './stores/store.js'

/**
 * Opens the embedded store, which keeps all in a data folder: SQLite, images, graphs, reports and backups.
 * Throws when another process has the folder or a newer version wrote it.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataDir, onProblem } = options
  const folder = await openFolder(options)
  try {
    const collections = await openCollections(folder, onProblem)
    const images = createImageStore(folder)
    const backups = openBackups({ dataDir, collections, images, service: version })
    const stopSweep = startExpirySweep({ ...folder, onProblem })
    const close = async () => {
      await Promise.all([backups.close(), stopSweep()])
      await folder.close()
    }
    let closed: Promise<void> | undefined
    return {
      collections,
      images,
      jobs: createJobStore(folder),
      classifiers: createClassifierStore(folder),
      reports: createReportFiles(dataDir),
      markers: createMarkerStore(dataDir),
      backups,
      exports: createExports(dataDir),
      health: folderHealth(folder),
      close: () => (closed ??= close())
    }
  } catch (error) {
    await folder.close()
    throw error
  }
}
