import { QueryInvalid } from '../errors.js'
import type { CollectionIndex } from './collection-index.js'
import type { Filter, Scalar } from './filter.js'
import { findNeighbors, type Neighbors } from './neighbors.js'
import type { Modality } from './record.js'
import { sampleLabels } from './sample.js'

export interface MatrixOptions {
  target: Modality
  /** Records that are looked at, at most. */
  sample: number
  /** Neighbors of each. */
  neighbors: number
  filter?: Filter
  /** Fields of the metadata whose values come with the records. */
  fields: string[]
}

/** How the records of a sample lie to each other. */
export interface Matrix extends Neighbors {
  ids: string[]
  /** Neighbors of each record: as many as were asked for, or as there are. */
  k: number
  /** By field a value a record, null where it has none. */
  values: Record<string, (Scalar | Scalar[])[]>
  /** Records that the sample is of: they hold the modality and pass the filter. */
  records: number
}

/**
 * Comparing all of a sample with all costs its square; asking the graph for each of it, whose search is the
 * longer the fewer of all it may find, about the size of the collection. With 512 dimensions they meet at
 * 10,000 of 20,000, and at 6,000 of as many.
 */
const EXACT_SQUARE = 6000
/** What is compared exactly has its best ones in memory, for all at once. */
const MOST_EXACT = 32_768
/** Ids between two places where the work may be interrupted: a look-up takes some microseconds. */
const STRIDE = 64
/**
 * Neighbors of all records together: 40 for each of the largest sample. Numbers and base64 of more would hold
 * threads for long.
 */
const MAX_NEIGHBORS = 2_000_000
/**
 * Characters that the values of a sample may have together: a field of prose would make an answer of
 * gigabytes.
 */
const MAX_CHARACTERS = 2 ** 25

/**
 * The nearest neighbors among a sample of records, with their values, in work that may be interrupted; `idOf`
 * gives the id of a record that is there. Throws QUERY_INVALID for too much of it.
 */
export function* sampleMatrix(
  index: CollectionIndex,
  options: MatrixOptions,
  idOf: (label: number) => string | undefined
): Generator<void, Matrix> {
  const { target, sample, fields } = options
  const all = index.labels(target, options.filter)
  yield
  const labels: number[] = []
  const ids: string[] = []
  let characters = 0
  const values: Matrix['values'] = Object.fromEntries(fields.map((field) => [field, []]))
  for (const label of sampleLabels(all, sample)) {
    const id = idOf(label)
    if (id === undefined) continue
    labels.push(label)
    ids.push(id)
    for (const field of fields) {
      const value = index.value(label, field)
      characters += lengthOf(value)
      values[field].push(value)
    }
    if (characters > MAX_CHARACTERS)
      throw new QueryInvalid(
        `The values of the fields have more than ${MAX_CHARACTERS} characters; request fewer fields, ` +
          'or a smaller sample.'
      )
    if (labels.length % STRIDE === 0) yield
  }
  const k = Math.max(0, Math.min(options.neighbors, labels.length - 1))
  if (labels.length * k > MAX_NEIGHBORS)
    throw new QueryInvalid(
      `${labels.length} records with ${k} neighbors each are more than ${MAX_NEIGHBORS} neighbors; ` +
        'request fewer neighbors, or a smaller sample.'
    )
  const neighbors = yield* findNeighbors(index.modalities[target], labels, {
    k,
    exactUpTo: Math.min(MOST_EXACT, Math.sqrt(EXACT_SQUARE * index.modalities[target].size))
  })
  return { ids, k, ...neighbors, values, records: all.length }
}

function lengthOf(value: Scalar | Scalar[]): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + lengthOf(item), 0)
  return String(value).length
}
