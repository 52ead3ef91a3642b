import { describeSetback } from '../collections/stores/setback.js'
import type { StoreHealth } from '../collections/stores/store.js'

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
export async function warningsOf(health: Pick<StoreHealth, 'setback' | 'diskSpace'>): Promise<Warning[]> {
  const { setback } = health
  const disk = await diskWarning(health).catch(() => undefined)
  return [
    ...(disk ? [disk] : []),
    ...(setback ? [{ name: 'store_went_back' as const, detail: describeSetback(setback) }] : [])
  ]
}

async function diskWarning({ diskSpace }: Pick<StoreHealth, 'diskSpace'>): Promise<Warning | undefined> {
  const { freeBytes, hasReserve } = await diskSpace()
  const left = `${Math.floor(freeBytes / MIB)} MiB are free on the disk of the data folder`
  if (freeBytes < FULL_BYTES)
    return {
      name: 'disk_full',
      detail:
        `${left}: writes are rejected (507), searches and deletions still work; delete records ` +
        'or collections, or enlarge the disk'
    }
  return hasReserve
    ? undefined
    : {
        name: 'disk_low',
        detail: `${left}, less than the reserve: backups and uploads of backups are rejected`
      }
}
