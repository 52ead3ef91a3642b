import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { StoredClassifier } from '../../classifiers/classifiers.js'
import { collectExamples, encodeExamples, named, type Example } from '../../classifiers/examples.js'
import { toAnchors, toTrainingSet, type LabelledSet } from '../../classifiers/training-set.js'
import { parseFilter } from '../../collections/filter.js'
import { MIB } from '../../config.js'
import type { Encoder } from '../../encoder/encoder.js'
import { labelEmbeddings } from '../../encoder/zero-shot.js'
import { CollectionForbidden, ExamplesInvalid, InvalidRequest } from '../../errors.js'
import { encoderOf, requireModel } from '../../records/record-parts.js'
import type { ImageBody } from '../schemas.js'
import { mayKnow } from './collection-reach.js'
import type { TrainForm, TrainJson } from './classifier-schemas.js'
import { imageLoader } from './load-images.js'
import type { Services } from './services.js'

type Body = Static<typeof TrainJson>
type Caller = Pick<FastifyRequest, 'body' | 'callOptions' | 'log' | 'reaches' | 'caller'>

/**
 * Trains a classifier with what a request asks for and puts it under its name; says whether there was one.
 */
export async function trainFrom(
  services: Services,
  request: Caller,
  name: string
): Promise<{ stored: StoredClassifier; existed: boolean }> {
  const { classifiers } = services
  const body = fromForm(request.body as Body | Static<typeof TrainForm>)
  const { method = 'linear-probe', c, prior = 'auto', folds, seed = 0, collection = null } = body
  if (c !== undefined && method !== 'linear-probe')
    throw new InvalidRequest('c is only for the method linear-probe.')
  const { signal } = request.callOptions
  return classifiers.training(async (train) => {
    const { encoder, examples, collectionCreatedAt } = await examplesOf(services, request, body)
    const { labels, layout, set } = toTrainingSet(examples, encoder.dimension)
    const words =
      prior === false
        ? undefined
        : await labelWords(encoder, body, { labels, callOptions: request.callOptions })
    const { weights, ...trained } = await train(
      { ...set, anchors: words && toAnchors(words.embeddings, layout) },
      { method, setting: c, prior, folds, seed },
      signal
    )
    const { name: model, fingerprint } = encoder.model
    const stored: StoredClassifier = {
      ...trained,
      name,
      model,
      fingerprint,
      dimension: encoder.dimension,
      method,
      layout,
      labels,
      templates: trained.prior ? words!.templates : null,
      collection,
      collectionCreatedAt,
      seed,
      createdAt: Date.now()
    }
    const existing = await classifiers.save(stored, weights)
    // One of an earlier collection of this name is none to those who may not know of it.
    return {
      stored,
      existed: existing !== undefined && (await mayKnow(request, existing, services.collections))
    }
  })
}

function fromForm(
  body: Body | Static<typeof TrainForm>
): Omit<Body, 'examples'> & { examples?: { label: string; image?: ImageBody; text?: string }[] } {
  if (!('image' in body)) return body as Body
  const { image, labels, ...options } = body
  if (image.length !== labels.length)
    throw new InvalidRequest(
      `The form has ${image.length} images and ${labels.length} labels; send one label for each image.`
    )
  return { ...options, examples: image.map((each, i) => ({ label: labels[i], image: each })) }
}

interface Examples {
  encoder: Encoder
  examples: Example[]
  collectionCreatedAt?: number
}

async function examplesOf(
  services: Services,
  request: Caller,
  body: ReturnType<typeof fromForm>
): Promise<Examples> {
  const { examples, collection } = body
  if ((examples === undefined) === (collection === undefined))
    throw new InvalidRequest('Send either examples, or collection and label_field.')
  if (collection !== undefined)
    return collectionExamples(services, request, body as Body & { collection: string })
  const alone = (['label_field', 'modalities', 'filter', 'per_class'] as const).find(
    (option) => body[option] !== undefined
  )
  if (alone)
    throw new InvalidRequest(
      `${alone} is only for training with the records of a collection; set collection, or leave ${alone} out.`
    )
  if (request.caller?.collections)
    throw new CollectionForbidden(
      'classifiers that belong to no collection; train with the records of a collection'
    )
  const encoder = services.encoders.get(body.model)
  return { encoder, examples: await sentExamples(services, request, { encoder, examples: examples! }) }
}

async function sentExamples(
  services: Services,
  { callOptions, log }: Caller,
  { encoder, examples }: { encoder: Encoder; examples: NonNullable<ReturnType<typeof fromForm>['examples']> }
): Promise<Example[]> {
  examples.forEach(({ label, image, text }, i) => {
    if (label.trim() === '') throw new ExamplesInvalid(`examples[${i}]: the label is empty; send a label.`)
    if (!image && !text?.trim())
      throw new ExamplesInvalid(
        `examples[${i}]: the example has no image and no text; send an image, a text, or both.`
      )
  })
  const load = imageLoader(
    services,
    { callOptions, log },
    { lane: 'bulk', totalBytes: services.config.MAX_RECORDS_BODY_MIB * MIB }
  )
  const loaded = await Promise.all(
    examples.map(async ({ image, ...rest }, i) => ({
      ...rest,
      ...(image && { image: await load(image).catch((error) => Promise.reject(named(error, i))) })
    }))
  )
  return encodeExamples(encoder, loaded, { lane: 'bulk', ...callOptions })
}

async function collectionExamples(
  services: Services,
  request: Caller,
  body: Body & { collection: string }
): Promise<Examples> {
  const {
    collection: name,
    label_field: field,
    modalities = ['image'],
    filter,
    per_class: perClass,
    seed = 0,
    model
  } = body
  if (field === undefined)
    throw new InvalidRequest(
      'label_field is missing; with collection, name the metadata field that holds the label.'
    )
  if (!request.reaches(name)) throw new CollectionForbidden(`collection '${name}'`)
  const collection = await services.collections.get(name)
  requireModel(collection)
  const encoder = encoderOf({ encoders: services.encoders, collection })
  if (model !== undefined && services.encoders.get(model) !== encoder)
    throw new InvalidRequest(`Collection '${name}' uses the model '${encoder.model.name}'; leave model out.`)
  const options = { field, filter: filter && parseFilter(filter), modalities, perClass, seed }
  return {
    encoder,
    collectionCreatedAt: collection.settings.createdAt,
    examples: await collectExamples(collection, options, {
      lane: 'bulk',
      ...request.callOptions
    } as Caller['callOptions'])
  }
}

/** The embedding of each label's words. Throws EXAMPLES_INVALID for prompts of labels that there are not. */
function labelWords(
  encoder: Encoder,
  { templates, prompts = {} }: Pick<Body, 'templates' | 'prompts'>,
  { labels, callOptions: { signal, sharing } }: Pick<LabelledSet, 'labels'> & Pick<Caller, 'callOptions'>
) {
  const names = labels.map(({ label }) => label)
  const strange = Object.keys(prompts).find((label) => !names.includes(label))
  if (strange !== undefined)
    throw new ExamplesInvalid(
      `prompts has the label '${strange}', which no example has; remove it, or add an example.`
    )
  const withPrompts = names.map((label) =>
    Object.hasOwn(prompts, label) ? { label, prompts: prompts[label] } : label
  )
  return labelEmbeddings(encoder, { labels: withPrompts, templates }, { lane: 'bulk', signal, sharing })
}
