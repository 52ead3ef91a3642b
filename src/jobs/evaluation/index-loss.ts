import { setTimeout as sleep } from 'node:timers/promises'
import type { Collection } from '../../collections/collection.js'
import type { Modality } from '../../collections/record.js'
import { sampleLabels } from '../../collections/sample.js'
import type { MeasuringThread } from '../../evaluation/run/measuring-thread.js'
import type { ProgressTeller } from '../../evaluation/run/evaluate-dataset.js'
import type { TaskReport } from '../../evaluation/report.js'
import type { TaskOptions } from '../../evaluation/tasks/task.js'
import { retry } from '../../threading/retry.js'
import type { CollectionSample } from './collection-sample.js'

export interface IndexLossOptions {
  sample: CollectionSample
  collection: Collection
  thread: MeasuringThread
  options: TaskOptions
  progress: ProgressTeller
  signal: AbortSignal
}

/** Queries of each direction: each is a search of the whole collection, and one of its graph. */
const MOST_QUERIES = 1000
const DEPTH = 10
const AT = [1, 5, 10]
/** What rounding to float32 may take from a score. */
const ROUNDING = 1e-6

const DIRECTIONS: { name: string; from: Modality; target: Modality }[] = [
  { name: 'text_to_image', from: 'text', target: 'image' },
  { name: 'image_to_text', from: 'image', target: 'text' }
]

/**
 * Adds to a report of retrieval what the collection's own index finds of the same queries, among all of its
 * records: `text_to_image_hnsw.recall@k` as searches find it (by the graph, where it is not small),
 * `text_to_image_exact.recall@k` by looking at every record, and `text_to_image_hnsw.overlap@10`, the part of
 * the ten nearest that the graph finds; `image_to_text` alike.
 */
export async function measureIndex(report: TaskReport, options: IndexLossOptions): Promise<void> {
  const {
    collection: {
      settings: { name, hnsw }
    },
    thread,
    progress
  } = options
  progress.begin(`${name}: searching its index`)
  for (const direction of DIRECTIONS)
    Object.assign(report.figures, await thread.figures(await search(direction, options), options.options))
  report.method.push(
    `Figures with _hnsw in their name were found as a search finds them, by the collection's own graph ` +
      `(M ${hnsw.m}, ef ${hnsw.efSearch}) where there are more than 5,000 embeddings, among all of its ` +
      `records. Figures with _exact were found by comparing each record, for up to ${MOST_QUERIES} of ` +
      'the queries. overlap@10 is the share of the ten nearest that the graph finds. Both are below the ' +
      'figures of the task where the collection has more records than those measured.'
  )
}

/** By figure its value for each query. */
async function search(
  { name, from, target }: (typeof DIRECTIONS)[number],
  { sample, collection, options, signal }: IndexLossOptions
): Promise<Record<string, Float64Array>> {
  const { records, images, texts } = sample
  const { values, dimension } = from === 'text' ? texts : images
  const rows = sampleLabels(
    records.flatMap(({ text }, row) => (text === null ? [] : [row])),
    MOST_QUERIES
  )
  const isRight = rightAnswers(sample, options)
  const figures: Record<string, Float64Array> = {}
  const put = (figure: string, query: number, value: number) =>
    ((figures[`${name}_${figure}`] ??= new Float64Array(rows.length))[query] = value)
  for (const [i, row] of rows.entries()) {
    const query = values.slice(row * dimension, (row + 1) * dimension)
    const find = (exact: boolean) =>
      retry(
        async () => (await collection.search(query, { target, limit: DEPTH, exact }, { signal })).matches,
        { signal }
      )
    const startedAt = performance.now()
    const found = { exact: await find(true), hnsw: await find(false) }
    for (const [way, matches] of Object.entries(found))
      for (const k of AT)
        put(
          `${way}.recall@${k}`,
          i,
          Number(matches.slice(0, k).some(({ record: { id } }) => isRight(row, id)))
        )
    const least = (found.exact.at(-1)?.score ?? 0) - ROUNDING
    put(
      `hnsw.overlap@${DEPTH}`,
      i,
      found.hnsw.filter(({ score }) => score >= least).length / Math.max(1, found.exact.length)
    )
    // Half of the searcher's time at most: others search, too.
    await sleep(performance.now() - startedAt, undefined, { signal })
  }
  return figures
}

/**
 * Whether a record is a right answer to the query that is made of one: itself, and one with the same text or
 * the same image where duplicates are one.
 */
function rightAnswers(
  { records }: CollectionSample,
  { duplicates }: TaskOptions
): (row: number, id: string) => boolean {
  const byId = new Map(records.map((record) => [record.id, record]))
  return (row, id) => {
    const [query, found] = [records[row], byId.get(id)]
    if (query.id === id) return true
    return (
      duplicates === 'merge' &&
      found !== undefined &&
      ((found.text !== null && found.text === query.text) ||
        (found.image !== null && found.image === query.image))
    )
  }
}
