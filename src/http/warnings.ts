import type { Collections } from '../collections/collections.js'
import { describeSetback } from '../collections/sqlite/high-water.js'
import { freeBytes, hasRoom } from '../fs/disk-space.js'

/** What an operator should look at while the service serves. */
export const WARNINGS = ['disk_full', 'disk_low', 'store_went_back'] as const
export interface Warning {
  name: (typeof WARNINGS)[number]
  detail: string
}

/** Under this many free bytes writes are about to be refused. */
const FULL_BYTES = 8 << 20
const MIB = 1 << 20

/** What is to be warned of now. */
export async function warningsOf({
  dataDir,
  collections
}: {
  dataDir: string
  collections: Pick<Collections, 'setback'>
}): Promise<Warning[]> {
  const { setback } = collections
  const disk = await diskWarning(dataDir).catch(() => undefined)
  return [
    ...(disk ? [disk] : []),
    ...(setback ? [{ name: 'store_went_back' as const, detail: describeSetback(setback) }] : [])
  ]
}

async function diskWarning(dataDir: string): Promise<Warning | undefined> {
  const free = await freeBytes(dataDir)
  const left = `${Math.floor(free / MIB)} MiB are free on the disk of the data folder`
  if (free < FULL_BYTES)
    return {
      name: 'disk_full',
      detail:
        `${left}: writes are refused (507), searches and deletions go on; delete records or ` +
        'collections, or give it more room'
    }
  return (await hasRoom(dataDir, 0))
    ? undefined
    : {
        name: 'disk_low',
        detail: `${left}, less than its reserve: backups and uploads of backups are refused`
      }
}
