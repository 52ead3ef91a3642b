import { Type, type Static } from 'typebox'
import { MIB } from '../../config.js'
import { TEMPLATES } from '../../encoder/templates.js'
import { createClassifier, type Classifier } from '../../encoder/zero-shot.js'
import { InvalidRequest, LabelsInvalid } from '../../errors.js'
import { EXAMPLE_IMAGE, FormImage, JsonImage, responses, type ImageBody } from '../schemas.js'
import { formBody, imagesBody } from './form.js'
import { imageBodyLimit } from './image-body.js'
import { imageLoader } from './load-images.js'
import type { App, Services } from './services.js'

const MAX_LABELS = 4096
const MAX_IMAGES = 64
/** Most scores of one request, images times labels. */
const MAX_SCORES = 65_536

const LabelText = Type.String({ minLength: 1, maxLength: 1000 })
const Label = Type.Union(
  [
    LabelText,
    Type.Object(
      { label: LabelText, prompts: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }) },
      { additionalProperties: false }
    )
  ],
  { description: 'A label, inserted into the templates, or a label with its own prompts.' }
)
const options = {
  labels: Type.Array(Label, {
    minItems: 1,
    maxItems: MAX_LABELS,
    description:
      'Two or more labels, or one with `multi_label`. Under softmax a single label always gets 1, and ' +
      'the answer has a `warning`. Labels that the model reads as the same tokens are rejected.'
  }),
  templates: Type.Optional(
    Type.Union(
      [Type.String(), Type.Array(Type.String({ maxLength: 1000 }), { minItems: 1, maxItems: 256 })],
      {
        description:
          'Your own templates, each with {label}, or the name of a set: ' +
          `${Object.keys(TEMPLATES).join(', ')}. By default the model's own.`
      }
    )
  ),
  multi_label: Type.Optional(
    Type.Boolean({ description: 'Score each label independently, so that several or none may apply.' })
  ),
  top_k: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_LABELS,
      description: 'Number of best labels to return; all by default.'
    })
  ),
  model: Type.Optional(Type.String({ description: 'By default the first loaded model.' }))
}
const JsonBody = Type.Object(
  {
    image: Type.Optional(JsonImage),
    images: Type.Optional(Type.Array(JsonImage, { minItems: 1, maxItems: MAX_IMAGES })),
    ...options
  },
  {
    additionalProperties: false,
    description: 'Either `image` or `images`.',
    examples: [{ image: EXAMPLE_IMAGE, labels: ['apple', 'dog', 'car'], templates: 'simple' }]
  }
)
const FormBody = Type.Object(
  {
    image: Type.Array(FormImage, {
      minItems: 1,
      maxItems: MAX_IMAGES,
      description: 'One image, or several for `results`.'
    }),
    ...options
  },
  { additionalProperties: false, examples: [{ labels: ['apple', 'dog', 'car'], top_k: 2 }] }
)

const Labels = Type.Array(
  Type.Object({
    label: Type.String(),
    score: Type.Number({ description: 'A probability, computed with the activation.' }),
    similarity: Type.Number({ description: "The cosine of the image and the label's prompts." })
  }),
  { description: 'Best first.' }
)
const ResponseBody = Type.Object({
  labels: Type.Optional(Labels),
  results: Type.Optional(
    Type.Array(Type.Object({ labels: Labels }), {
      description: 'For `images`: one result each, in the same order.'
    })
  ),
  activation: Type.Enum(['softmax', 'sigmoid'], {
    description: 'softmax: the scores of all labels sum to 1. sigmoid: each score is independent.'
  }),
  templates: Type.Array(Type.String()),
  model: Type.String(),
  warning: Type.Optional(
    Type.String({
      description: 'Explains that the scores are meaningless, if there is a single label under softmax.'
    })
  )
})

/** What a single label under softmax is answered with. */
const SINGLE_LABEL =
  'The scores of all labels sum to 1, so a single label always gets 1. Send two or more labels, or set ' +
  'multi_label: true to score each label independently.'

/** Zero-shot classification of one image or several. */
export function zeroShotRoutes(app: App, services: Services): void {
  const { config, encoders } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  app.post(
    '/v1/zero-shot',
    {
      bodyLimit: imageBodyLimit(maxImageBytes),
      config: { scope: 'read' },
      schema: {
        tags: ['Zero-shot'],
        operationId: 'zeroShot',
        summary: 'Classify images with labels in words',
        description:
          "The embedding of a label is the normalised mean of its prompts' embeddings. As a form: file " +
          'parts `image`, and `labels`, `templates` as JSON lists (or one plain text field for each ' +
          'value).',
        body: {
          content: { 'application/json': { schema: JsonBody }, 'multipart/form-data': { schema: FormBody } }
        },
        response: responses({ 200: ResponseBody })
      },
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: maxImageBytes + (1 << 20) }, (form) =>
        imagesBody(form, { json: ['multi_label', 'top_k'], lists: ['labels', 'templates'] })
      )
    },
    async (request) => {
      const { body, callOptions, onStep } = request
      const {
        labels,
        templates,
        multi_label: multiLabel,
        top_k: topK,
        model,
        ...sent
      } = body as Static<typeof JsonBody> | Static<typeof FormBody>
      const { images, isList } = sentImages(sent)
      const encoder = encoders.get(model)
      if (images.length * labels.length > MAX_SCORES)
        throw new LabelsInvalid(
          `Images times labels are ${images.length * labels.length} scores; at most ${MAX_SCORES} are ` +
            'allowed.'
        )
      const encodeOptions = { lane: 'interactive', ...callOptions, onStep } as const
      const bytes = await Promise.all(
        images.map(imageLoader(services, request, { lane: 'interactive', totalBytes: maxImageBytes }))
      )
      const [classifier, ...embeddings] = await Promise.all([
        createClassifier(encoder, { labels, templates, multiLabel }, encodeOptions),
        ...encoder.encodeImages(bytes, encodeOptions)
      ])
      const results = embeddings.map((embedding) => ({
        labels: (classifier as Classifier).classify(embedding).slice(0, topK)
      }))
      const { activation, templates: used } = classifier as Classifier
      const saysNothing = labels.length === 1 && activation === 'softmax'
      return {
        ...(isList ? { results } : results[0]),
        activation,
        templates: used,
        model: encoder.model.name,
        ...(saysNothing && { warning: SINGLE_LABEL })
      }
    }
  )
}

/** Whether one image was sent or a list, however they came. */
function sentImages({ image, images }: { image?: ImageBody | ImageBody[]; images?: ImageBody[] }): {
  images: ImageBody[]
  isList: boolean
} {
  if ((image === undefined) === (images === undefined))
    throw new InvalidRequest('Send either image or images.')
  const list = images ?? [image!].flat()
  return { images: list, isList: images !== undefined || list.length > 1 }
}
