import type { Collection } from '../../collections/collection.js'
import type { Exports } from '../../collections/exports/exports.js'
import type { SampledRecord } from '../../collections/exports/sampled-records.js'
import { EvaluationInvalid } from '../../errors.js'
import type { DatasetImage, LoadedDataset } from '../../evaluation/datasets/dataset.js'
import { labelFault } from '../../evaluation/datasets/label-names.js'
import { type Rows, sharedRows } from '../../evaluation/embedding/embedder.js'
import { retry } from '../../threading/retry.js'

/** Records of a collection as a dataset, with the embeddings that it has of them: row i is of record i. */
export interface CollectionSample {
  records: SampledRecord[]
  images: Rows
  /** Zeros where a record has no text. */
  texts: Rows
  /** Records that it is a sample of. */
  total: number
}

/** Most values of a modality: 128 MiB of embeddings. */
const MAX_VALUES = 2 ** 25

/**
 * Reads up to so many records, and fewer where their embeddings would take too much memory. What is written
 * meanwhile is in it or not, each record as it was at some moment. Throws COLLECTION_REPLACED, and the
 * signal's reason.
 */
export async function sampleCollection(
  collection: Collection,
  exports: Exports,
  { limit, labelField, signal }: { limit: number; labelField?: string; signal: AbortSignal }
): Promise<CollectionSample> {
  const sample = await retry(
    () =>
      exports.sample(collection, {
        limit: Math.min(limit, Math.floor(MAX_VALUES / collection.settings.dimension)),
        field: labelField,
        signal
      }),
    { signal }
  )
  try {
    const { dimension } = collection.settings
    const [images, texts] = [sharedRows(sample.size, dimension), sharedRows(sample.size, dimension)]
    const records: SampledRecord[] = []
    for await (const page of sample.pages()) {
      signal.throwIfAborted()
      images.values.set(page.images, records.length * dimension)
      texts.values.set(page.texts, records.length * dimension)
      records.push(...page.records)
    }
    return { records, images, texts, total: sample.total }
  } finally {
    await sample.close()
  }
}

/**
 * The records with a text as image-caption pairs, those with a label as a classification; without what there
 * is none of. A label that is too long is a fault. Images have the ids of their records.
 */
export function datasetsOf(
  { records }: CollectionSample,
  { name }: Pick<Collection['settings'], 'name'>
): LoadedDataset[] {
  // Of an image that was not kept the embedding is all there is; others are read by their digest.
  const imageOf = ({ id, image }: SampledRecord): DatasetImage => ({ id, path: image ?? '' })
  const captions = records.flatMap((record) =>
    record.text === null ? [] : [{ id: record.id, image: imageOf(record), captions: [record.text] }]
  )
  const faults = records.flatMap(({ id, label }) =>
    label === null || labelFault(label) === undefined ? [] : [{ name: id, reason: labelFault(label)! }]
  )
  const classes = records.flatMap((record) =>
    record.label === null || labelFault(record.label) !== undefined
      ? []
      : [
          {
            id: record.id,
            image: imageOf(record),
            label: record.label,
            ...(record.text !== null && { text: record.text })
          }
        ]
  )
  const shared = { name, format: 'collection' as const }
  return [
    ...(captions.length > 0 ? [{ ...shared, kind: 'captions' as const, items: captions, faults: [] }] : []),
    ...(classes.length > 0 ? [{ ...shared, kind: 'classes' as const, items: classes, faults }] : [])
  ]
}

/** A dataset without the items whose images were not kept. Throws EVALUATION_INVALID where none is left. */
export function keptAlone(dataset: LoadedDataset, { records }: CollectionSample): LoadedDataset {
  const kept = new Set(records.flatMap(({ id, image }) => (image === null ? [] : [id])))
  const items = dataset.items.filter(({ id }) => kept.has(id))
  if (items.length === 0)
    throw new EvaluationInvalid(
      `Collection '${dataset.name}' keeps no images, so they can't be changed and encoded again; leave ` +
        'this task out.'
    )
  return { ...dataset, items } as LoadedDataset
}
