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
          'The collection that it was trained with, where several have a classifier of the name. By ' +
          'default the one of no collection, else the only one.'
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
      'What labels are put into for the prior: own templates, each with {label}, or the name of a set. ' +
      "The model's own by default."
  }
)

const trainOptions = {
  method: Type.Optional(
    Type.Enum([...METHODS], {
      default: 'linear-probe',
      description:
        'linear-probe: L2-regularised logistic regression. nearest-class-mean: by the cosine with the ' +
        'mean of each class.'
    })
  ),
  c: Type.Optional(
    Type.Number({
      minimum: 1e-6,
      maximum: 1e6,
      description:
        "Inverse strength of the linear probe's regularisation; chosen by cross-validation, by default."
    })
  ),
  prior: Type.Optional(
    Type.Union([Type.Boolean(), Type.Literal('auto')], {
      default: 'auto',
      description:
        'Whether the words of each label are one more example of it. auto: where it predicts better in ' +
        'cross-validation, or nothing can be held out.'
    })
  ),
  templates: Type.Optional(Template),
  prompts: Type.Optional(
    Type.Record(Label, Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }), {
      description: 'By label, prompts for the prior in place of the templates.'
    })
  ),
  folds: Type.Optional(
    Type.Integer({
      minimum: 2,
      maximum: 20,
      description:
        'Of the cross-validation: 5 by default, or as many as the smallest class has examples; one for ' +
        'each of up to 20 examples. Fewer where labels and examples are many: the answer says how many.'
    })
  ),
  seed: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2 ** 32 - 1,
      default: 0,
      description: 'Of the folds and of `per_class`.'
    })
  ),
  model: Type.Optional(
    Type.String({ description: 'For examples that are sent: the first of the loaded models, by default.' })
  )
}
const MAX_SENT = 10_000
const Example = Type.Object(
  { label: Label, image: Type.Optional(JsonImage), text: Type.Optional(Text) },
  { additionalProperties: false, description: 'With an image, a text, or both.' }
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
      Type.String({
        minLength: 1,
        maxLength: 1000,
        description: 'The field of the metadata that holds the label.'
      })
    ),
    modalities: Type.Optional(
      Type.Array(Type.Enum(['image', 'text']), {
        ...Modalities,
        description:
          "Of the records' embeddings which; `image` by default. With both, the classifier takes " +
          'images with texts.'
      })
    ),
    filter: Type.Optional(FilterBody),
    per_class: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'Records of each label, at most; drawn by the seed.'
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
      description: 'One for each image, in their order.'
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
    description: 'What it was trained with. One of two takes inputs that lack the other, too.'
  }),
  collection: Type.Union([Type.String(), Type.Null()], { description: 'Whose records were the examples.' }),
  labels: Type.Array(
    Type.Object({
      label: Type.String(),
      examples: Type.Integer(),
      validated: Type.Boolean({
        description: 'Whether examples of it were held out; the only one of a label can not be.'
      })
    })
  ),
  c: Type.Union([Type.Number(), Type.Null()], {
    description: 'Inverse strength of the regularisation, of a linear probe.'
  }),
  scale: Type.Union([Type.Number(), Type.Null()], {
    description: 'What cosines are multiplied by, of a nearest class mean.'
  }),
  prior: Type.Boolean({ description: 'Whether the words of each label were one more example of it.' }),
  templates: Type.Union([Type.Array(Type.String()), Type.Null()]),
  folds: Type.Union([Type.Integer(), Type.Null()]),
  validated_examples: Type.Integer({
    description:
      'Examples that the figures are over, each predicted by a classifier that was trained without it.'
  }),
  accuracy: Type.Union([Interval, Type.Null()], {
    description:
      'With its 95 % bootstrap interval; null where nothing could be held out. Each fold is predicted ' +
      'with the setting, and the prior where it is auto, that the other folds choose.'
  }),
  auroc: Type.Union([Type.Number(), Type.Null()], {
    description:
      'Area under the ROC curve, each label against the rest, mean over labels; of examples in one ' +
      'fold, since scores of several classifiers are not comparable. Null where each example was a ' +
      'fold of its own, as up to 20 are.'
  }),
  confusion: Type.Union([Type.Array(Type.Array(Type.Integer())), Type.Null()], {
    description:
      'Rows are the true labels, columns the predicted ones, in the order of `labels`; of up to 100 labels.'
  }),
  most_confused: Type.Array(
    Type.Object({ label: Type.String(), predicted: Type.String(), count: Type.Integer() }),
    {
      description:
        'The labels that are most often taken for another, the most frequent first, and which; up to ' +
        '100 pairs.'
    }
  ),
  seed: Type.Integer(),
  created_at: Type.String({ format: 'date-time' })
})

const MAX_CLASSIFIED = 64
const TopK = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 1000, description: 'Best labels to return; all by default.' })
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
    score: Type.Number({ description: 'A probability; those of all labels sum to 1.' })
  }),
  { description: 'Best first.' }
)
export const ClassifiedBody = Type.Object({
  labels: Type.Optional(Labels),
  results: Type.Optional(
    Type.Array(Type.Object({ labels: Labels }), {
      description: 'For several images, one each, in their order.'
    })
  ),
  model: Type.String(),
  classifier: Type.String()
})
