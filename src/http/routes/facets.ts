import { Type } from 'typebox'
import { parseFilter } from '../../collections/filter.js'
import { CollectionParams, responses } from '../schemas.js'
import { parseField } from './form.js'
import type { App, Services } from './services.js'

const FacetsQuery = Type.Object(
  {
    filter: Type.Optional(
      Type.String({ description: 'A filter as JSON: only records that pass it are counted.' })
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        default: 20,
        description: 'Values of a field that are listed, at most.'
      })
    )
  },
  { additionalProperties: false }
)
const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean()])
const Bound = Type.Optional(
  Type.Union([Type.Number(), Type.String()], {
    description: 'Of numbers, and of dates as ISO 8601; those with a zone compare as instants.'
  })
)
const FacetsBody = Type.Object({
  fields: Type.Array(
    Type.Object({
      field: Type.String({ description: 'As filters name it: `a.b` is a field of an object.' }),
      type: Type.Enum(['string', 'number', 'boolean', 'mixed']),
      records: Type.Integer({ description: 'Records that hold a value; null is none.' }),
      values: Type.Array(Type.Object({ value: Value, records: Type.Integer() }), {
        description: 'Those that most records hold, most first; strings over 256 characters are left out.'
      }),
      distinct: Type.Integer({ description: 'Values that there are, listed or not.' }),
      min: Bound,
      max: Bound
    }),
    { description: 'Those that most records hold, most first.' }
  ),
  left_out: Type.Integer({
    description:
      'Fields that were not counted: up to 200 are, those that most records of the collection hold.'
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
        summary: 'Count the values of metadata',
        description:
          'The fields of the metadata with their values, and how many records hold each: what there is ' +
          'to filter by. A list counts by its elements. What is written meanwhile may be counted or ' +
          'not.',
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
