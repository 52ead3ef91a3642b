import type { Collection } from './collections.js'
import { readPart } from './views/search/part.js'

/** What of a link names records or fields, or a place among them: it means nothing in another collection. */
const OF_A_COLLECTION = ['r', 'record', 'f', 'field', 'only', 'at', 'do', 'new']
/** What a model is needed for, in a view of a collection. */
const OF_A_MODEL = ['q', 'p', 'prompt']

/**
 * A link's query for another collection: what is asked in words or by a picture stays, what belongs to the
 * one before goes.
 */
export function inCollection(search: string, { name, model }: Pick<Collection, 'name' | 'model'>): string {
  const query = new URLSearchParams(search)
  const parts = query.getAll('p').filter((part) => readPart(part)?.kind !== 'record')
  for (const each of [...OF_A_COLLECTION, 'p', ...(model === null ? OF_A_MODEL : [])]) query.delete(each)
  if (model !== null) for (const part of parts) query.append('p', part)
  query.set('c', name)
  return query.toString()
}
