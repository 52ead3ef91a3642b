import type { Static } from 'typebox'
import { features, type Input } from '../../classifiers/features.js'
import type { LoadedClassifier } from '../../classifiers/classifiers.js'
import { MIB } from '../../config.js'
import type { Encoder } from '../../encoder/encoder.js'
import type { Encoders } from '../../encoder/encoders.js'
import { ClassifierMismatch, ClassifierNotFound, InvalidRequest } from '../../errors.js'
import { responses, type ImageBody } from '../schemas.js'
import {
  ClassifiedBody,
  ClassifierParams,
  ClassifierQuery,
  ClassifyForm,
  ClassifyJson
} from './classifier-schemas.js'
import { classifierOf, mayKnow } from './collection-reach.js'
import { formBody, imagesBody } from './form.js'
import { imageBodyLimit } from './image-body.js'
import { imageLoader } from './load-images.js'
import type { App, Services } from './services.js'
import type { EncodeOptions } from '../../encoder/encode-options.js'

/** Classification by a trained classifier. */
export function classifyRoute(app: App, services: Services): void {
  const { config, classifiers, collections, encoders } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  app.post(
    '/v1/classifiers/:classifier/classify',
    {
      bodyLimit: imageBodyLimit(maxImageBytes),
      config: { scope: 'read' },
      schema: {
        tags: ['Classifiers'],
        operationId: 'classify',
        summary: 'Classify images or texts with a trained classifier',
        description:
          'A classifier trained with images and texts accepts both together or either alone. As a ' +
          'form: file parts `image`, and `text`, `top_k`.',
        params: ClassifierParams,
        querystring: ClassifierQuery,
        body: {
          content: {
            'application/json': { schema: ClassifyJson },
            'multipart/form-data': { schema: ClassifyForm }
          }
        },
        response: responses({ 200: ClassifiedBody })
      },
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: maxImageBytes + (1 << 20) }, (form) =>
        imagesBody(form, { json: ['top_k'] })
      )
    },
    async (request) => {
      const { callOptions, onStep } = request
      const { top_k: topK, ...sent } = request.body as
        Static<typeof ClassifyJson> | Static<typeof ClassifyForm>
      const { inputs, isList } = sentInputs(sent)
      const loaded = await classifiers.load(
        await classifierOf(request, { name: request.params.classifier, ...request.query }, services)
      )
      // Another may have taken its place meanwhile.
      if (!(await mayKnow(request, loaded.stored, collections)))
        throw new ClassifierNotFound(loaded.stored.name)
      const encoder = encoderFor(loaded, encoders)
      for (const input of inputs) requireTaken(loaded, input)
      const load = imageLoader(services, request, { lane: 'interactive', totalBytes: maxImageBytes })
      const bytes = await Promise.all(inputs.map(({ image }) => image && load(image)))
      const encoded = await encodeInputs(
        encoder,
        inputs.map(({ text }, i) => ({ text, image: bytes[i] })),
        { lane: 'interactive', ...callOptions, onStep }
      )
      const results = encoded.map((input) => ({ labels: ranked(loaded, input).slice(0, topK) }))
      return {
        ...(isList ? { results } : results[0]),
        model: encoder.model.name,
        classifier: request.params.classifier
      }
    }
  )
}

interface SentInput {
  image?: ImageBody
  text?: string
}

/** Whether one input was sent or a list, however they came. */
function sentInputs({
  image,
  images,
  text
}: {
  image?: ImageBody | ImageBody[]
  images?: ImageBody[]
  text?: string
}): { inputs: SentInput[]; isList: boolean } {
  const list = images ?? (image === undefined ? [] : [image].flat())
  if ((image !== undefined && images !== undefined) || (list.length === 0 && text === undefined))
    throw new InvalidRequest('The request has nothing to classify; send image, text, both, or images.')
  if (text === undefined)
    return { inputs: list.map((each) => ({ image: each })), isList: images !== undefined || list.length > 1 }
  if (images !== undefined || list.length > 1)
    throw new InvalidRequest("text can't be combined with images; send it with a single image.")
  if (text.trim() === '') throw new InvalidRequest('The text is empty; leave it out if there is none.')
  return { inputs: [{ text, ...(list.length > 0 && { image: list[0] }) }], isList: false }
}

/** Throws CLASSIFIER_MISMATCH. */
function encoderFor({ stored: { name, model, fingerprint } }: LoadedClassifier, encoders: Encoders): Encoder {
  const encoder = encoders.withFingerprint(fingerprint)
  if (encoder) return encoder
  const describe = (of: string, print: string) => `'${of}' (${print.slice(0, 12)})`
  throw new ClassifierMismatch(
    name,
    describe(model, fingerprint),
    encoders.all.map(({ model: loaded }) => describe(loaded.name, loaded.fingerprint)).join(', ')
  )
}

/** Throws INVALID_REQUEST for what the classifier has no weights for. */
function requireTaken({ stored: { name, layout } }: LoadedClassifier, { image, text }: SentInput): void {
  if (layout === 'image' && text !== undefined)
    throw new InvalidRequest(`Classifier '${name}' was trained with images only; send an image and no text.`)
  if (layout === 'text' && image !== undefined)
    throw new InvalidRequest(`Classifier '${name}' was trained with texts only; send a text and no image.`)
}

async function encodeInputs(
  encoder: Encoder,
  inputs: { image?: Uint8Array; text?: string }[],
  options: EncodeOptions
): Promise<Input[]> {
  const images = encoder.encodeImages(
    inputs.flatMap(({ image }) => image ?? []),
    options
  )
  const texts = encoder.encodeTexts(
    inputs.flatMap(({ text }) => text ?? []),
    options
  )
  const all = await Promise.all([...images, ...texts])
  const [nextImage, nextText] = [all.slice(0, images.length).values(), all.slice(images.length).values()]
  return inputs.map(({ image, text }) => ({
    ...(image && { image: nextImage.next().value! }),
    ...(text !== undefined && { text: nextText.next().value! })
  }))
}

function ranked({ stored, classifier }: LoadedClassifier, input: Input): { label: string; score: number }[] {
  const scores = classifier.scores(features(input, stored.layout))
  return stored.labels.map(({ label }, k) => ({ label, score: scores[k] })).sort((a, b) => b.score - a.score)
}
