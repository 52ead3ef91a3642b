import type { StoreReader } from './sqlite/reads.js'

/** The reads of a store that need no index. */
export type StoreReads = Pick<
  StoreReader,
  | 'collections'
  | 'record'
  | 'embeddingsOf'
  | 'compare'
  | 'extra'
  | 'bulkLoad'
  | 'failedLines'
  | 'jobs'
  | 'classifiers'
  | 'classifier'
>

/** Makes one of them in the searcher's thread. */
export type StoreRead = <Operation extends keyof StoreReads>(
  operation: Operation,
  ...args: Parameters<StoreReads[Operation]>
) => Promise<ReturnType<StoreReads[Operation]>>

/** One of them as it goes to that thread. */
export interface StoreCall {
  operation: keyof StoreReads
  args: unknown[]
}
