import { EvaluationInvalid } from '../../errors.js'
import { type Dataset, DatasetError, type EmbeddedPairs } from '../../evaluation/datasets/dataset.js'
import { handler, reportReady } from '../../threading/thread-pool.js'
import { openFolder, withoutPaths, type FolderAsked } from './dataset-folders.js'

export interface OpenCall {
  datasetsDir: string
  asked: FolderAsked
}

/** A dataset without its items, which are asked for by pages. */
export type Described = Pick<Dataset, 'name' | 'format' | 'kind'>

type Items = ReturnType<Dataset['items']>
type Item = Items extends AsyncIterable<infer Each> ? Each : never

// A thread that reads one dataset: its files may be JSON of hundreds of MiB.

const PAGE = 1000
let opened: { dataset: Dataset; datasetsDir: string } | undefined
let items: AsyncIterator<Item> | undefined

/** Opens a dataset, as `openFolder` does; embeddings that were made before are all in the answer. */
export const open = handler(async ({ datasetsDir, asked }: OpenCall): Promise<Described | EmbeddedPairs> => {
  const dataset = await openFolder(datasetsDir, asked)
  if (dataset.kind === 'embeddings') return dataset
  opened = { dataset, datasetsDir }
  const { name, format, kind } = dataset
  return { name, format, kind }
})

/** The next items, or the first ones anew. Throws EVALUATION_INVALID. */
export const page = handler(
  async ({ isFirst }: { isFirst: boolean }): Promise<{ items: Item[]; isLast: boolean }> => {
    if (isFirst) items = (opened!.dataset.items() as AsyncIterable<Item>)[Symbol.asyncIterator]()
    const found: Item[] = []
    try {
      while (found.length < PAGE) {
        const next = await items!.next()
        if (next.done) return { items: found, isLast: true }
        found.push(next.value)
      }
      return { items: found, isLast: false }
    } catch (error) {
      throw error instanceof DatasetError
        ? new EvaluationInvalid(await withoutPaths(opened!.datasetsDir, error.message))
        : error
    }
  }
)

reportReady()
