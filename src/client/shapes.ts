import type { components, paths } from './api.js'

/** The JSON of a call's answer of 200. */
type Answered<Operation> = Operation extends {
  responses: { 200: { content: { 'application/json': infer Body } } }
}
  ? Body
  : never
/** The JSON that a call takes. */
type Taken<Operation> = Operation extends { requestBody?: { content: { 'application/json': infer Body } } }
  ? Body
  : never

/** One answer of a search. */
export type Match = Answered<paths['/v1/collections/{collection}/search']['post']>['matches'][number]
/** The body of the general search. */
export type SearchRequest = Taken<paths['/v1/collections/{collection}/search']['post']>
/** A record as the service shows it. */
export type StoredRecord = Answered<paths['/v1/collections/{collection}/records']['get']>['records'][number]
/** A collection as the service shows it. */
export type Collection = Answered<paths['/v1/collections/{collection}']['get']>
/** A job: a re-indexing or an evaluation, by its `kind`. */
export type Job = Answered<paths['/v1/jobs/{id}']['get']>
/** What became of a record that was written. */
export type WriteResult = Answered<paths['/v1/collections/{collection}/records']['post']>['results'][number]
export type { components, paths }
