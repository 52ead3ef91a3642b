import type { Service } from '../service.js'
import { imageKind } from '../../files/image-types.js'
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

/**
 * Deletes the records whose files are gone: those with the prefix that came from files, and that this run did not come by. Nothing is
 * deleted where a folder could not be read, or where no image was found at all, be it in the whole or in a folder of it: a disk that is
 * not mounted looks like that. Returns how many were deleted.
 */
export async function prune(service: Service, known: KnownRecords, options: PruneOptions): Promise<number> {
  const { collection, prefix, signal } = options
  const gone = known.unseen(prefix)
  const doubt = gone.length > 0 ? doubtOf(gone, known, options) : undefined
  if (doubt !== undefined) throw new Error(`Nothing was pruned${doubt}`)
  for (let start = 0; start < gone.length; start += AT_ONCE) {
    await service.api.post('/v1/collections/{collection}/records/delete', { params: { path: { collection } }, body: { ids: gone.slice(start, start + AT_ONCE) }, signal })
  }
  return gone.length
}

/** Why the files of records may be there all the same. */
function doubtOf(gone: string[], known: KnownRecords, { collection, prefix, tally, yes = false }: PruneOptions): string | undefined {
  if (tally.hides) return `, since not all could be read: ${gone.length} records may be of files that are there.`
  const unseen = gone.map((id) => known.unseenFolder(id)).filter((path) => path !== undefined)
  if (unseen.some((path) => prefix.startsWith(path))) return `: there is no image in the folder, and ${gone.length} records would go. 'semblance collections drop ${collection}' is for that.`
  if (yes) return undefined
  if (unseen.length > 0) {
    const [folder] = unseen
    const below = folder.slice(prefix.length)
    const what = tally.links.some((link) => `${link}/`.normalize() === below) ? 'is a link, which is not followed' : 'has no image any more: a disk that is not mounted looks like that'
    return `: '${below}' ${what}, and ${gone.filter((id) => id.startsWith(folder)).length} records are of files in it. With --yes they go.`
  }
  // Which folder an id of its own is from can't be told.
  const own = tally.links.length > 0 ? gone.find((id) => imageKind(id) !== 'read') : undefined
  if (own !== undefined) return `: '${tally.links[0]}' is a link, which is not followed, and records such as '${own}' may be of files in it. With --yes they go.`
  return undefined
}
