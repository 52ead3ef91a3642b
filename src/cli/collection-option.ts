import { Option } from 'commander'
import { SemblanceError } from '../client/semblance-error.js'
import type { Service } from './service.js'

/** The collection that commands mean where none is named. */
export const USUAL_COLLECTION = 'images'

/** The option that names a collection. */
export function collectionOption(what: string): Option {
  return new Option('-c, --collection <name>', what).env('SEMBLANCE_COLLECTION')
}

/**
 * A collection as the API shows it. Throws an Error that says which there are, where there is none of that
 * name.
 */
export async function showCollection(service: Service, collection: string, signal: AbortSignal) {
  try {
    return await service.api.get('/v1/collections/{collection}', { params: { path: { collection } }, signal })
  } catch (error) {
    if (!isMissing(error)) throw error
    const names = await collectionNames(service, signal)
    throw new Error(
      'There is no collection ' +
        `'${collection}'${names.length > 0 ? `; there are ${names.join(', ')}` : ''}. Create it with ` +
        `'semblance index <folder> -c ${collection}'.`,
      { cause: error }
    )
  }
}

/** The collection that is named, else the usual one, else the only one that there is. */
export async function chooseCollection(service: Service, named: string | undefined, signal: AbortSignal) {
  if (named !== undefined) return showCollection(service, named, signal)
  const names = await collectionNames(service, signal)
  return showCollection(service, names.length === 1 ? names[0] : USUAL_COLLECTION, signal)
}

export function isMissing(error: unknown): boolean {
  return error instanceof SemblanceError && error.code === 'COLLECTION_NOT_FOUND'
}

async function collectionNames(service: Service, signal: AbortSignal): Promise<string[]> {
  return (await service.api.get('/v1/collections', { signal })).collections.map(({ name }) => name)
}
