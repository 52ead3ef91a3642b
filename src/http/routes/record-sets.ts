import { Type } from 'typebox'
import type { CallOptions } from '../../threading/call-options.js'
import type { Collection } from '../../collections/collection.js'
import { parseFilter } from '../../collections/filter.js'
import { selected } from '../../collections/selection.js'
import { InvalidRequest } from '../../errors.js'
import { CollectionParams, OwnCollectionParams, RecordBody, RecordId, responses } from '../schemas.js'
import { timeStep, type OnStep } from '../../telemetry/stages.js'
import { parseField } from './form.js'
import { toRecordBody } from './record-body.js'
import { FilterBody } from './search-schemas.js'
import { sendJson } from './send-json.js'
import type { App, Services } from './services.js'

const tags = ['Records']
/** Records deleted in one transaction, when a filter names more. */
const DELETE_BATCH = 1000

/** Listing and deleting many records. */
export function recordSetRoutes(app: App, { collections }: Services): void {
  app.get(
    '/v1/collections/:collection/records',
    {
      schema: {
        tags,
        operationId: 'listRecords',
        summary: 'List records',
        description: 'Ordered by id. `next_cursor` fetches the next page; it is null on the last page.',
        params: CollectionParams,
        querystring: Type.Object(
          {
            cursor: Type.Optional(Type.String({ description: 'The next_cursor of the previous page.' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
            filter: Type.Optional(Type.String({ description: 'A filter as JSON.' }))
          },
          { additionalProperties: false }
        ),
        response: responses({
          200: Type.Object({
            records: Type.Array(RecordBody),
            next_cursor: Type.Union([Type.String(), Type.Null()])
          })
        })
      }
    },
    async ({ params, query: { cursor, limit = 100, filter }, callOptions }, reply) => {
      const after = cursor === undefined ? undefined : fromCursor(cursor)
      const collection = await collections.get(params.collection)
      const records = await collection.list(
        {
          limit: limit + 1,
          after,
          filter: filter === undefined ? undefined : parseFilter(parseField('filter', filter))
        },
        callOptions
      )
      const page = records.slice(0, limit)
      return sendJson(reply, {
        records: page.map((record) => toRecordBody(params.collection, record)),
        next_cursor: records.length > limit ? toCursor(page[page.length - 1].id) : null
      })
    }
  )
  app.post(
    '/v1/collections/:collection/records/delete',
    {
      schema: {
        tags,
        operationId: 'deleteRecords',
        summary: 'Delete records by ids or by filter',
        params: OwnCollectionParams,
        body: Type.Object(
          {
            ids: Type.Optional(Type.Array(RecordId, { minItems: 1, maxItems: 10_000 })),
            filter: Type.Optional(FilterBody)
          },
          {
            additionalProperties: false,
            minProperties: 1,
            maxProperties: 1,
            description: 'Either ids or a filter.',
            examples: [{ ids: ['greeting', 'no-such-record'] }]
          }
        ),
        response: responses({
          200: Type.Object({
            deleted: Type.Integer({ description: 'Records that existed and were deleted.' })
          })
        })
      }
    },
    async (request) => {
      const {
        params,
        body: { ids, filter },
        callOptions,
        onStep
      } = request
      if (filter && Object.keys(filter).length === 0)
        throw new InvalidRequest(
          'filter is empty, which would delete every record; to delete all records, drop the collection.'
        )
      const collection = await collections.get(params.collection)
      // What was changed after it passed the filter may pass it no more: it stays.
      const batches = ids
        ? inBatches(ids)
        : selected(await collection.select(parseFilter(filter), callOptions), DELETE_BATCH)
      let deleted = 0
      for await (const count of deletions(collection, batches, { callOptions, onStep })) {
        request.countChanges('deleted', count)
        deleted += count
      }
      return { deleted }
    }
  )
}

/** Records that are to go, with `updatedAt` those that were not changed since. */
interface Victims {
  ids: string[]
  updatedAt?: number[]
}

function* inBatches(ids: string[]): Generator<Victims> {
  for (let start = 0; start < ids.length; start += DELETE_BATCH)
    yield { ids: ids.slice(start, start + DELETE_BATCH) }
}

/** Deletes records batch by batch; yields how many of each were there. */
async function* deletions(
  collection: Collection,
  batches: Iterable<Victims>,
  { callOptions, onStep }: { callOptions: CallOptions; onStep: OnStep }
): AsyncGenerator<number> {
  for (const { ids, updatedAt } of batches) {
    const step = {
      stage: 'write',
      attributes: { 'semblance.collection': collection.settings.name, 'semblance.records': ids.length }
    } as const
    const results = await timeStep(onStep, step, () => collection.delete(ids, { updatedAt }, callOptions))
    yield results.filter(({ existed }) => existed).length
  }
}

function toCursor(id: string): string {
  return Buffer.from(id).toString('base64url')
}

function fromCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString()
  if (toCursor(id) !== cursor)
    throw new InvalidRequest('cursor is not valid; send the next_cursor of the previous page.')
  return id
}
