import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { diskSpace } from '../fs/disk-space.js'
import { exists } from '../fs/exists.js'
import { unlessMissing } from '../fs/unless-missing.js'
import type { Folder } from './folder.js'
import { imagePath } from './image-files.js'
import type { ClassifierStore } from './stores/classifier-store.js'
import type { ImageStore } from './stores/image-store.js'
import type { JobStore } from './stores/job-store.js'
import type { MarkerStore } from './stores/marker-store.js'
import type { StoreHealth } from './stores/store.js'
import type { WriterFinding } from './writer-worker.js'

/** The jobs of a data folder. */
export function createJobStore({ commit, read }: Pick<Folder, 'commit' | 'read'>): JobStore {
  return {
    list: () => read('jobs'),
    save: async (job) => void (await commit({ kind: 'job', ...job })),
    remove: async (id) => void (await commit({ kind: 'forget-job', id }))
  }
}

/** The classifiers of a data folder. */
export function createClassifierStore({ commit, read }: Pick<Folder, 'commit' | 'read'>): ClassifierStore {
  return {
    list: () => read('classifiers'),
    get: (name) => read('classifier', name),
    save: async (classifier) => (await commit({ kind: 'put-classifier', ...classifier })).existed!,
    remove: async (name) => (await commit({ kind: 'drop-classifier', name })).existed!
  }
}

/** The kept images of a data folder, which the writer writes and removes. */
export function createImageStore({ dataDir, writer }: Pick<Folder, 'dataDir' | 'writer'>): ImageStore {
  return {
    // The record that an image belongs to may be deleted while the image is on its way.
    read: (sha256) => readFile(imagePath(dataDir, sha256)).catch(unlessMissing),
    open: async (sha256) => (await open(imagePath(dataDir, sha256)).catch(unlessMissing))?.createReadStream(),
    hold: async () => {
      const hold = await writer.call('holdImages', undefined)
      return () => writer.call('releaseImages', hold)
    }
  }
}

/** The markers of a data folder: a file each. */
export function createMarkerStore(dataDir: string): MarkerStore {
  return {
    has: (name) => exists(join(dataDir, name)),
    set: (name, note) => writeFile(join(dataDir, name), `${note}\n`)
  }
}

/** How a data folder, its disk and its threads are. */
export function folderHealth({ dataDir, waiting, writer, searcher }: Folder): StoreHealth {
  return {
    pending: () => searcher.call('pending', undefined),
    waiting,
    setback: (writer.findings[0] as WriterFinding).setback,
    get pools() {
      return [writer.state, searcher.state]
    },
    diskSpace: () => diskSpace(dataDir)
  }
}
