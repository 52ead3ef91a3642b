import { Type, type Static } from 'typebox'
import { FORMATS } from '../../evaluation/datasets/dataset.js'
import { TASKS } from '../../evaluation/report.js'
import type { EvaluationJob } from '../../jobs/job.js'
import { CollectionName } from '../schemas.js'
import { ENDED, jobParts, partsOf } from './job-body.js'

/** A path below the folder of datasets; what leads out of it is not found. */
const Path = (description: string) =>
  Type.String({ minLength: 1, maxLength: 1024, pattern: '^[^\\u0000-\\u001f]+$', description })

/** Items of a folder, and records of a collection. */
const MAX_ITEMS = 1_000_000
const MAX_RECORDS = 100_000

const FolderDataset = Type.Object(
  {
    folder: Path("A dataset under the operator's DATASETS_DIR, such as `coco` or `coco/captions.json`."),
    format: Type.Optional(Type.Enum([...FORMATS], { description: 'Detected by default.' })),
    images: Type.Optional(
      Path('The image folder, relative to the dataset folder, if it is a different one.')
    ),
    split: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'The split to use, for datasets with splits.'
      })
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_ITEMS,
        description: 'Use only the first items; all by default.'
      })
    )
  },
  { additionalProperties: false }
)

const CollectionDataset = Type.Object(
  {
    collection: CollectionName,
    label_field: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description:
          'The metadata field that holds the class of a record: a single value; for nested objects a ' +
          'path such as `a.b`.'
      })
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: MAX_RECORDS,
        description:
          'Maximum records to evaluate, always the same sample; 10,000 by default, and never more than ' +
          '128 MiB of embeddings per modality.'
      })
    )
  },
  { additionalProperties: false }
)

const Dataset = Type.Union([FolderDataset, CollectionDataset])

export const EvaluationRequest = Type.Object(
  {
    dataset: Dataset,
    model: Type.Optional(
      Type.String({ description: 'A loaded model. By default the first, or for a collection its own.' })
    ),
    against: Type.Optional(
      Type.String({
        description:
          'Another loaded model to evaluate on the same items and compare by paired tests; not for a ' +
          'collection, which has the embeddings of one model.'
      })
    ),
    tasks: Type.Optional(
      Type.Array(Type.Enum([...TASKS]), {
        minItems: 1,
        maxItems: TASKS.length,
        uniqueItems: true,
        description:
          'By default all tasks that the dataset supports; for a collection retrieval, and with a ' +
          'label_field also zero-shot and few-shot. Compositionality and fusion, which need several ' +
          'captions per image, are only available for folders.'
      })
    ),
    templates: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), {
        minItems: 1,
        maxItems: 100,
        description:
          'For zero-shot: names of sets (simple, imagenet-7, imagenet-80), or sentences with {label}.'
      })
    ),
    seed: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1, description: 'Random seed; 0 by default.' })
    ),
    resamples: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 100_000,
        description: 'Bootstrap samples of each interval; 1,000 by default.'
      })
    ),
    duplicates: Type.Optional(
      Type.Enum(['merge', 'keep'], {
        description:
          'Whether identical images and identical captions count as one, so that each of them is ' +
          'correct (`merge`, by default), or as separate items.'
      })
    )
  },
  { additionalProperties: false, examples: [{ dataset: { collection: 'emoji' }, tasks: ['retrieval'] }] }
)

export const EvaluationBody = Type.Object({
  ...jobParts,
  kind: Type.Literal('evaluation'),
  state: Type.Enum(['queued', 'running', ...ENDED]),
  progress: Type.Object(
    { done: Type.Integer(), total: Type.Integer(), step: Type.String() },
    { description: 'Progress of the current step.' }
  ),
  collection: Type.Union([Type.String(), Type.Null()], {
    description: 'The collection to evaluate; null for a folder.'
  }),
  dataset: Dataset,
  model: Type.String(),
  fingerprint: Type.String(),
  against: Type.Union([Type.String(), Type.Null()]),
  tasks: Type.Union([Type.Array(Type.Enum([...TASKS])), Type.Null()], {
    description: 'The requested tasks; null for all that the dataset supports.'
  }),
  report_url: Type.Union([Type.String(), Type.Null()], {
    description: 'Path of the report as a web page, once it is done.'
  })
})

/** An evaluation as it is asked for. */
export type EvaluationRequestBody = Static<typeof EvaluationRequest>

export function toEvaluationBody(job: EvaluationJob): Static<typeof EvaluationBody> {
  const {
    id,
    kind,
    collection,
    dataset,
    model,
    fingerprint,
    against,
    tasks,
    state,
    progress: { done, total, step = '' }
  } = job
  return {
    ...partsOf(job),
    kind,
    state,
    progress: { done, total, step },
    collection,
    dataset:
      'folder' in dataset
        ? dataset
        : {
            collection: dataset.collection,
            limit: dataset.limit,
            ...(dataset.labelField !== undefined && { label_field: dataset.labelField })
          },
    model,
    fingerprint,
    against,
    tasks,
    report_url: state === 'done' ? `/v1/evaluations/${id}/report` : null
  }
}
