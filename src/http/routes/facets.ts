import { Type } from 'typebox'
import { parseFilter } from '../../collections/filter.js'
import { CollectionParams, responses } from '../schemas.js'
import { parseField } from './form.js'
import type { App, Services } from './services.js'

const FacetsQuery = Type.Object(
  {
    filter: Type.Optional(
      Type.String({ description: 'A filter as JSON: only matching records are counted.' })
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        default: 20,
        description: 'Maximum values to list for each field.'
      })
    )
  },
  { additionalProperties: false }
)
const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean()])
const Bound = Type.Optional(
  Type.Union([Type.Number(), Type.String()], {
    description: 'Range of numbers, and of dates in ISO 8601; dates with a zone compare as instants.'
  })
)
const FacetsBody = Type.Object({
  fields: Type.Array(
    Type.Object({
      field: Type.String({ description: 'Name as in filters: `a.b` is a field of an object.' }),
      type: Type.Enum(['string', 'number', 'boolean', 'mixed']),
      records: Type.Integer({ description: 'Records that have a value; null counts as none.' }),
      values: Type.Array(Type.Object({ value: Value, records: Type.Integer() }), {
        description:
          'The most frequent values, most frequent first; strings longer than 256 characters are left out.'
      }),
      distinct: Type.Integer({ description: 'Number of distinct values, listed or not.' }),
      min: Bound,
      max: Bound
    }),
    { description: 'The most frequent fields, most frequent first.' }
  ),
  left_out: Type.Integer({
    description: 'Fields that were not counted: only the 200 most frequent fields of the collection are.'
  })
})

/** What there is to filter by. */
export function facetRoute(app: App, { collections }: Services): void {
  app.get(
    '/v1/collections/:collection/facets',
    {
      schema: {
        tags: ['Records'],
        operationId: 'countFacets',
        summary: 'Count metadata values',
        description:
          'Returns the metadata fields with their values and the number of records with each, for use ' +
          'in filters. A list counts once for each of its elements. Records written during the call ' +
          'may or may not be counted.',
        params: CollectionParams,
        querystring: FacetsQuery,
        response: responses({ 200: FacetsBody })
      }
    },
    async ({ params, query: { filter, limit = 20 }, callOptions }) => {
      const collection = await collections.get(params.collection)
      const { fields, leftOut } = await collection.facets(
        { limit, filter: filter === undefined ? undefined : parseFilter(parseField('filter', filter)) },
        callOptions
      )
      return { fields, left_out: leftOut }
    }
  )
}
