import { type Static, Type } from 'typebox'
import { FORMATS } from '../datasets/dataset.js'
import { type DatasetReport, type Report, type Shown, TASKS } from '../report.js'

// A report as it is written and sent: names are snake_case. Names of figures, details and pictures are keys
// of their own.

const number = (description: string) => Type.Number({ description })
const count = (description: string) => Type.Integer({ minimum: 0, description })

const FigureJson = Type.Object(
  {
    value: Type.Number(),
    low: number('Lower end of the confidence interval.'),
    high: number('Upper end of the confidence interval.'),
    items: count('Items (queries, images, pairs) that it is over.'),
    chance: Type.Optional(number('What guessing gives.'))
  },
  { description: 'A measured figure with its bootstrap confidence interval. Shares are from 0 to 1.' }
)

const Point = Type.Object({
  x: Type.Number(),
  y: Type.Number(),
  low: Type.Optional(Type.Number()),
  high: Type.Optional(Type.Number())
})
const PlotJson = Type.Object({
  title: Type.String(),
  x: Type.String({ description: 'What the horizontal axis is of.' }),
  y: Type.String(),
  scale: Type.Optional(Type.Enum(['linear', 'log'], { description: 'Of the horizontal axis.' })),
  curves: Type.Array(Type.Object({ name: Type.String(), points: Type.Array(Point) }))
})

const ShownJson = Type.Unsafe<Shown>(
  Type.Object(
    {
      image: Type.Optional(Type.String({ description: 'Id of an image in the dataset.' })),
      text: Type.Optional(Type.String())
    },
    { minProperties: 1, maxProperties: 1, description: 'An image or a text.' }
  )
)
const Queries = Type.Array(
  Type.Object({
    title: Type.String(),
    queries: Type.Array(
      Type.Object({
        query: ShownJson,
        expected: Type.Array(ShownJson),
        returned: Type.Array(Type.Object({ shown: ShownJson, score: Type.Number() })),
        rank: number('Of the best of what was right; 1 is first.')
      })
    )
  })
)

const TaskJson = Type.Object({
  task: Type.Enum([...TASKS], { description: 'What was measured.' }),
  figures: Type.Record(Type.String(), FigureJson, {
    description: 'By name: `group.measure`, as in `text_to_image.recall@5`.'
  }),
  plots: Type.Optional(Type.Array(PlotJson)),
  confusion: Type.Optional(
    Type.Object({
      labels: Type.Array(Type.String()),
      counts: Type.Array(Type.Array(count('Images.')), {
        description: 'Rows are the true labels, columns the predicted ones.'
      })
    })
  ),
  worst: Type.Optional(Queries),
  flags: Type.Array(
    Type.Object({
      level: Type.Enum(['note', 'warning'], { description: 'A warning says that figures can mislead.' }),
      code: Type.String(),
      message: Type.String()
    })
  ),
  method: Type.Array(Type.String(), { description: 'How it was done, a sentence each.' }),
  details: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'What a repetition needs beyond the dataset.' })
  )
})

const ComparisonJson = Type.Object(
  {
    task: Type.Enum([...TASKS], { description: 'What was measured.' }),
    figure: Type.String(),
    first: Type.Number(),
    second: Type.Number(),
    difference: FigureJson,
    p: number('Two-sided, of the paired permutation test.')
  },
  { description: 'A figure of two models on the same items; the difference is the second minus the first.' }
)

const DatasetJson = Type.Object({
  name: Type.String(),
  format: Type.Enum([...FORMATS, 'collection'], {
    description: 'How the dataset lies on disk, or that it is a collection.'
  }),
  kind: Type.Enum(['captions', 'classes', 'pairs', 'choices', 'embeddings', 'collection'], {
    description: 'What its items are.'
  }),
  counts: Type.Object({
    items: count('Items.'),
    images: count('Images.'),
    captions: count('Captions.'),
    labels: count('Labels.'),
    faults: count('Items that could not be read.'),
    duplicate_images: count('Images whose bytes another has.'),
    duplicate_captions: count('Captions whose words another has.')
  }),
  faults: Type.Array(Type.Object({ name: Type.String(), reason: Type.String() }), {
    description: 'The first of what could not be read.'
  }),
  results: Type.Array(Type.Object({ model: Type.String(), tasks: Type.Array(TaskJson) })),
  comparisons: Type.Array(ComparisonJson)
})

export type DatasetJson = Static<typeof DatasetJson>

export const ReportJson = Type.Object(
  {
    version: Type.Literal(1, { description: 'Of this shape.' }),
    service: Type.String({ description: 'Version of Semblance.' }),
    created_at: Type.String({ format: 'date-time' }),
    seconds: Type.Number(),
    models: Type.Array(
      Type.Object({ name: Type.String(), fingerprint: Type.String(), dimension: Type.Integer() })
    ),
    settings: Type.Object({
      seed: Type.Integer(),
      resamples: count('Bootstrap samples.'),
      confidence: number('Of the intervals, as 0.95.')
    }),
    command: Type.Optional(
      Type.String({ description: 'The command line that gives the same figures again, where one made it.' })
    ),
    datasets: Type.Array(DatasetJson),
    pictures: Type.Record(Type.String(), Type.String(), {
      description: 'WebP thumbnails, base64, by dataset, space and image id.'
    })
  },
  { description: 'What an evaluation found.' }
)

/** A report as JSON. */
export type ReportJson = Static<typeof ReportJson>

/**
 * A report as it is written and sent, with names in snake_case. Names of figures, details and pictures stay
 * as they are.
 */
export function toJson({
  version,
  service,
  createdAt,
  seconds,
  models,
  settings,
  command,
  datasets,
  pictures
}: Report): ReportJson {
  return {
    version,
    service,
    created_at: createdAt,
    seconds,
    models,
    settings,
    ...(command !== undefined && { command }),
    datasets: datasets.map(datasetJson),
    pictures
  }
}

/**
 * The report that was written by `toJson`, as pages and cards are made of. The JSON must keep to the schema.
 */
export function fromJson({ created_at, datasets, ...rest }: ReportJson): Report {
  return { ...rest, createdAt: created_at, datasets: datasets.map(datasetReport) }
}

function datasetJson({
  counts: { duplicateImages, duplicateCaptions, ...counts },
  ...rest
}: DatasetReport): DatasetJson {
  return {
    ...rest,
    counts: { ...counts, duplicate_images: duplicateImages, duplicate_captions: duplicateCaptions }
  }
}

function datasetReport({
  counts: { duplicate_images, duplicate_captions, ...counts },
  ...rest
}: DatasetJson): DatasetReport {
  return {
    ...rest,
    counts: { ...counts, duplicateImages: duplicate_images, duplicateCaptions: duplicate_captions }
  }
}
