import { loadCollections } from '../../collections.js'
import { call } from '../../connection.js'

/** Makes a collection with the settings by default, if there is none of that name. */
export async function ensureCollection(collection: string): Promise<void> {
  await call((client) =>
    client.put('/v1/collections/{collection}', { params: { path: { collection } }, body: {} })
  )
  await loadCollections()
}
