import type { Service } from '../service.js'
import type { KnownRecords } from './known-records.js'
import type { Tally } from './tally.js'

/** Ids that are deleted in one call; the API takes so many at most. */
const AT_ONCE = 1000

export interface PruneOptions {
  collection: string
  prefix: string
  tally: Tally
  /** Whether folders may have lost all of their images. */
  yes?: boolean
  signal: AbortSignal
}

/** What became of records whose files are gone. */
export interface Pruned {
  removed: number
  /** Those that stay, by the uppermost folder that has no image any more. */
  kept: Map<string, number>
}

/**
 * Deletes the records whose files are gone: those with the prefix that came from files, and that this run did
 * not come by. Records of a folder without any image stay, unless `yes` is given: a disk that is not mounted
 * looks like that. Throws an Error, and deletes nothing, where not all could be read or no image was found at
 * all.
 */
export async function prune(service: Service, known: KnownRecords, options: PruneOptions): Promise<Pruned> {
  const { collection, prefix, tally, yes = false, signal } = options
  const unseen = known.unseen(prefix)
  if (unseen.length > 0 && tally.hides)
    throw new Error(
      `Nothing was pruned, because not everything could be read: ${unseen.length} records may belong ` +
        'to files that still exist.'
    )
  const kept = new Map<string, number>()
  const gone = unseen.filter((id) => {
    const folder = known.unseenFolder(id)
    if (folder === undefined) return true
    if (prefix.startsWith(folder))
      throw new Error(
        `Nothing was pruned: the folder has no image, and ${unseen.length} records would be deleted. ` +
          `To delete them all, run 'semblance collections drop ${collection}'.`
      )
    if (!yes) kept.set(folder, (kept.get(folder) ?? 0) + 1)
    return yes
  })
  for (let start = 0; start < gone.length; start += AT_ONCE) {
    await service.api.post('/v1/collections/{collection}/records/delete', {
      params: { path: { collection } },
      body: { ids: gone.slice(start, start + AT_ONCE) },
      signal
    })
  }
  return { removed: gone.length, kept }
}
