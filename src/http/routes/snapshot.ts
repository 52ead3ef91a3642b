import { Type } from 'typebox'
import { CollectionParams, Milliseconds, Modality, responses } from '../schemas.js'
import { rounded } from './search-took.js'
import type { App, Services } from './services.js'

const SnapshotBody = Type.Object({
  snapshots: Type.Array(
    Type.Object({
      modality: Modality,
      records: Type.Integer({ description: 'Records in the graph.' }),
      bytes: Type.Integer(),
      took_ms: Milliseconds
    }),
    { description: 'One for each modality of the collection.' }
  )
})

/** Saving the graphs of a collection at once, before a planned end say. */
export function snapshotRoute(app: App, { collections }: Services): void {
  app.post(
    '/v1/collections/:collection/snapshot',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['Collections'],
        operationId: 'snapshotCollection',
        summary: 'Save the graphs of a collection',
        description:
          'Saves the HNSW graphs so that the next start loads them instead of building them. This also ' +
          'happens automatically, after many changes and at shutdown. Writes to the graphs pause ' +
          'meanwhile; searches continue. Records are durable without snapshots; to copy a collection, ' +
          'make a backup.',
        params: CollectionParams,
        response: responses({ 200: SnapshotBody })
      }
    },
    async ({ params }) => {
      const collection = await collections.get(params.collection)
      const saved = await collection.snapshot()
      return {
        snapshots: saved.map(({ modality, records, bytes, tookMs }) => ({
          modality,
          records,
          bytes,
          took_ms: rounded(tookMs)
        }))
      }
    }
  )
}
