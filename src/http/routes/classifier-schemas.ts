import { Type } from 'typebox'
import { METHODS } from '../../classifiers/train-classifier.js'
import { COLLECTION_NAME, CollectionName, EXAMPLE_IMAGE, FormImage, JsonImage } from '../schemas.js'
import { FilterBody } from './search-schemas.js'

const ClassifierName = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{0,63}$',
  description: 'Name of a classifier.',
  examples: ['fruit-or-car']
})
export const ClassifierParams = Type.Object({ classifier: ClassifierName })
export const ClassifierQuery = Type.Object(
  {
    collection: Type.Optional(
      Type.String({
        pattern: COLLECTION_NAME,
        description:
          'The collection that the classifier was trained with, needed if several have a classifier of ' +
          'this name. By default the classifier without a collection, or else the only one.'
      })
    )
  },
  { additionalProperties: false }
)

const Label = Type.String({ minLength: 1, maxLength: 1000 })
const Text = Type.String({ minLength: 1, description: 'Up to 8,000 characters.' })
const Modalities = Type.Array(Type.Enum(['image', 'text']), { minItems: 1, maxItems: 2, uniqueItems: true })
const Template = Type.Union(
  [Type.String(), Type.Array(Type.String({ maxLength: 1000 }), { minItems: 1, maxItems: 256 })],
  {
    description:
      'Templates for the prior: your own, each with {label}, or the name of a set. By default the ' +
      "model's own."
  }
)

const trainOptions = {
  method: Type.Optional(
    Type.Enum([...METHODS], {
      default: 'linear-probe',
      description:
        'linear-probe: L2-regularised logistic regression. nearest-class-mean: cosine with the mean of ' +
        'each class.'
    })
  ),
  c: Type.Optional(
    Type.Number({
      minimum: 1e-6,
      maximum: 1e6,
      description:
        'Inverse regularisation strength of the linear probe; by default chosen by cross-validation.'
    })
  ),
  prior: Type.Optional(
    Type.Union([Type.Boolean(), Type.Literal('auto')], {
      default: 'auto',
      description:
        'Whether the text of each label is used as an additional example. auto: if this predicts ' +
        'better in cross-validation, or if nothing can be held out.'
    })
  ),
  templates: Type.Optional(Template),
  prompts: Type.Optional(
    Type.Record(Label, Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }), {
      description: 'Prompts for the prior by label, in place of the templates.'
    })
  ),
  folds: Type.Optional(
    Type.Integer({
      minimum: 2,
      maximum: 20,
      description:
        'Folds of the cross-validation. By default 5, or as many as the smallest class has examples; ' +
        'one per example for up to 20 examples. Fewer for many labels and examples: the answer gives ' +
        'the number used.'
    })
  ),
  seed: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2 ** 32 - 1,
      default: 0,
      description: 'Random seed of the folds and of `per_class`.'
    })
  ),
  model: Type.Optional(
    Type.String({ description: 'Model for examples in the request. By default the first loaded model.' })
  )
}
const MAX_SENT = 10_000
const Example = Type.Object(
  { label: Label, image: Type.Optional(JsonImage), text: Type.Optional(Text) },
  { additionalProperties: false, description: 'Examples with an image, a text, or both.' }
)

export const TrainJson = Type.Object(
  {
    examples: Type.Optional(Type.Array(Example, { minItems: 1, maxItems: MAX_SENT })),
    collection: Type.Optional(
      Type.String({
        ...CollectionName,
        description: 'The collection whose records are the examples, in place of `examples`.'
      })
    ),
    label_field: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1000, description: 'The metadata field that holds the label.' })
    ),
    modalities: Type.Optional(
      Type.Array(Type.Enum(['image', 'text']), {
        ...Modalities,
        description:
          'Which embeddings of the records to use; `image` by default. With both, the classifier ' +
          'accepts an image with a text.'
      })
    ),
    filter: Type.Optional(FilterBody),
    per_class: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'Maximum records of each label, drawn by the seed.'
      })
    ),
    ...trainOptions
  },
  {
    additionalProperties: false,
    description: 'Either `examples`, or `collection` and `label_field`.',
    examples: [
      {
        examples: [
          { label: 'fruit', image: EXAMPLE_IMAGE },
          { label: 'fruit', text: 'a bunch of grapes' },
          { label: 'car', text: 'a red sports car' },
          { label: 'car', text: 'a delivery van' }
        ]
      }
    ]
  }
)
export const TrainForm = Type.Object(
  {
    image: Type.Array(FormImage, { minItems: 1, maxItems: 256 }),
    labels: Type.Array(Label, {
      minItems: 1,
      maxItems: 256,
      description: 'One label for each image, in the same order.'
    }),
    ...trainOptions
  },
  {
    additionalProperties: false,
    examples: [{ image: ['apple.png', 'apple.png'], labels: ['fruit', 'apple'] }]
  }
)

const Interval = Type.Object({ value: Type.Number(), low: Type.Number(), high: Type.Number() })
export const ClassifierBody = Type.Object({
  name: Type.String(),
  model: Type.String(),
  fingerprint: Type.String(),
  method: Type.Enum([...METHODS]),
  inputs: Type.Array(Type.Enum(['image', 'text']), {
    description:
      'Modalities it was trained with. A classifier for both also accepts inputs with only one of them.'
  }),
  collection: Type.Union([Type.String(), Type.Null()], {
    description: 'The collection whose records were the examples.'
  }),
  labels: Type.Array(
    Type.Object({
      label: Type.String(),
      examples: Type.Integer(),
      validated: Type.Boolean({
        description: 'Whether examples of this label were held out; the only example of a label cannot be.'
      })
    })
  ),
  c: Type.Union([Type.Number(), Type.Null()], {
    description: 'Inverse regularisation strength, for a linear probe.'
  }),
  scale: Type.Union([Type.Number(), Type.Null()], {
    description: 'Factor of the cosines, for nearest class mean.'
  }),
  prior: Type.Boolean({ description: 'Whether the text of each label was used as an additional example.' }),
  templates: Type.Union([Type.Array(Type.String()), Type.Null()]),
  folds: Type.Union([Type.Integer(), Type.Null()]),
  validated_examples: Type.Integer({
    description: 'Examples that the figures are based on, each predicted by a classifier trained without it.'
  }),
  accuracy: Type.Union([Interval, Type.Null()], {
    description:
      'With its 95 % bootstrap interval; null if nothing could be held out. Each fold is predicted ' +
      'with the setting, and the prior if it is auto, that the other folds select.'
  }),
  auroc: Type.Union([Type.Number(), Type.Null()], {
    description:
      'Area under the ROC curve of each label against the rest, averaged over the labels, for examples ' +
      'in one fold, because scores of different classifiers are not comparable. Null if each example ' +
      'was its own fold, as for up to 20 examples.'
  }),
  confusion: Type.Union([Type.Array(Type.Array(Type.Integer())), Type.Null()], {
    description:
      'Rows are the true labels, columns the predicted ones, in the order of `labels`; of up to 100 labels.'
  }),
  most_confused: Type.Array(
    Type.Object({ label: Type.String(), predicted: Type.String(), count: Type.Integer() }),
    { description: 'The most frequently confused pairs of labels, most frequent first; up to 100 pairs.' }
  ),
  seed: Type.Integer(),
  created_at: Type.String({ format: 'date-time' })
})

const MAX_CLASSIFIED = 64
const TopK = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 1000, description: 'Number of best labels to return; all by default.' })
)
export const ClassifyJson = Type.Object(
  {
    image: Type.Optional(JsonImage),
    text: Type.Optional(Text),
    images: Type.Optional(Type.Array(JsonImage, { minItems: 1, maxItems: MAX_CLASSIFIED })),
    top_k: TopK
  },
  {
    additionalProperties: false,
    description: 'An `image`, a `text`, both together, or several `images`.',
    examples: [{ image: EXAMPLE_IMAGE, top_k: 2 }]
  }
)
export const ClassifyForm = Type.Object(
  {
    image: Type.Optional(
      Type.Array(FormImage, {
        minItems: 1,
        maxItems: MAX_CLASSIFIED,
        description: 'One image, or several for `results`.'
      })
    ),
    text: Type.Optional(Text),
    top_k: TopK
  },
  { additionalProperties: false, examples: [{ top_k: 2 }] }
)
const Labels = Type.Array(
  Type.Object({
    label: Type.String(),
    score: Type.Number({ description: 'A probability; the scores of all labels sum to 1.' })
  }),
  { description: 'Best first.' }
)
export const ClassifiedBody = Type.Object({
  labels: Type.Optional(Labels),
  results: Type.Optional(
    Type.Array(Type.Object({ labels: Labels }), {
      description: 'For several images: one result each, in the same order.'
    })
  ),
  model: Type.String(),
  classifier: Type.String()
})
