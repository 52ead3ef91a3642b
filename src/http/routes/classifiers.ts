import { type Static, Type } from 'typebox'
import type { StoredClassifier } from '../../classifiers/classifiers.js'
import { CONFUSION_CLASSES } from '../../classifiers/quality.js'
import { MIB } from '../../config.js'
import { responses } from '../schemas.js'
import {
  ClassifierBody,
  ClassifierParams,
  ClassifierQuery,
  TrainForm,
  TrainJson
} from './classifier-schemas.js'
import { classifierOf, knowledgeOf } from './collection-reach.js'
import { formBody, imagesBody } from './form.js'
import type { Form } from './read-form.js'
import type { App, Services } from './services.js'
import { trainFrom } from './train-from.js'

const tags = ['Classifiers']

/** Training few-shot classifiers, and looking after them. */
export function classifierRoutes(app: App, services: Services): void {
  const { config, classifiers, collections } = services
  const bodyLimit = config.MAX_RECORDS_BODY_MIB * MIB
  app.put(
    '/v1/classifiers/:classifier',
    {
      bodyLimit,
      schema: {
        tags,
        operationId: 'trainClassifier',
        summary: 'Train a classifier with labelled examples',
        description:
          'Uses the examples in the request, or the records of a collection labelled by a metadata ' +
          'field. Names are unique within a collection, and among the classifiers without one: an ' +
          'existing classifier serves until the new one replaces it. As a form: file parts `image`, ' +
          'and `labels` as JSON (or repeated plain text fields), one for each image.',
        params: ClassifierParams,
        body: {
          content: { 'application/json': { schema: TrainJson }, 'multipart/form-data': { schema: TrainForm } }
        },
        response: responses({ 200: ClassifierBody, 201: ClassifierBody })
      },
      preValidation: formBody({ fileBytes: config.MAX_IMAGE_MIB * MIB, totalBytes: bodyLimit }, bodyFromForm)
    },
    async (request, reply) => {
      const { classifier: name } = request.params
      const { stored, existed } = await trainFrom(services, request, name)
      return reply.code(existed ? 200 : 201).send(toClassifierBody(stored))
    }
  )
  app.get(
    '/v1/classifiers',
    {
      schema: {
        tags,
        operationId: 'listClassifiers',
        summary: 'List the classifiers',
        response: responses({ 200: Type.Object({ classifiers: Type.Array(ClassifierBody) }) })
      }
    },
    async (request) => ({
      classifiers: classifiers
        .list()
        .filter(await knowledgeOf(request, collections))
        .map(toClassifierBody)
    })
  )
  app.get(
    '/v1/classifiers/:classifier',
    {
      schema: {
        tags,
        operationId: 'getClassifier',
        summary: 'Show a classifier',
        params: ClassifierParams,
        querystring: ClassifierQuery,
        response: responses({ 200: ClassifierBody })
      }
    },
    async (request) =>
      toClassifierBody(
        await classifierOf(request, { name: request.params.classifier, ...request.query }, services)
      )
  )
  app.delete(
    '/v1/classifiers/:classifier',
    {
      schema: {
        tags,
        operationId: 'dropClassifier',
        summary: 'Remove a classifier',
        params: ClassifierParams,
        querystring: ClassifierQuery,
        response: responses({ 204: Type.Null() })
      }
    },
    async (request, reply) => {
      await classifiers.drop(
        await classifierOf(request, { name: request.params.classifier, ...request.query }, services)
      )
      return reply.code(204).send(null)
    }
  )
}

function bodyFromForm(form: Form): Record<string, unknown> {
  const isAuto = form.fields.get('prior')?.[0] === 'auto'
  return imagesBody(form, {
    json: ['c', 'prompts', 'folds', 'seed', ...(isAuto ? [] : ['prior'])],
    lists: ['labels', 'templates']
  })
}

/** A classifier as it stands in responses. */
function toClassifierBody({
  name,
  model,
  fingerprint,
  method,
  layout,
  collection,
  labels,
  setting,
  prior,
  templates,
  validation,
  seed,
  createdAt
}: StoredClassifier): Static<typeof ClassifierBody> {
  return {
    name,
    model,
    fingerprint,
    method,
    inputs: layout === 'image+text' ? ['image', 'text'] : [layout],
    collection,
    labels: labels.map((label) => ({ ...label, validated: validation !== null && label.examples > 1 })),
    c: method === 'linear-probe' ? setting : null,
    scale: method === 'nearest-class-mean' ? setting : null,
    prior,
    templates,
    folds: validation?.folds ?? null,
    validated_examples: validation?.examples ?? 0,
    accuracy: validation?.accuracy ?? null,
    auroc: validation?.auroc ?? null,
    confusion: validation && labels.length <= CONFUSION_CLASSES ? validation.confusion : null,
    most_confused: (validation?.confused ?? []).map(({ actual, predicted, count }) => ({
      label: labels[actual].label,
      predicted: labels[predicted].label,
      count
    })),
    seed,
    created_at: new Date(createdAt).toISOString()
  }
}
