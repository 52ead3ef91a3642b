import { Type, type Static } from 'typebox'
import type { Collection } from '../../collections/collection.js'
import { DEFAULT_HNSW, type CollectionSettings, type HnswSettings } from '../../collections/record.js'
import type { Encoders } from '../../encoder/encoders.js'
import { InvalidRequest } from '../../errors.js'
import { CollectionParams, Modality, OwnCollectionParams, responses } from '../schemas.js'
import { optionalBody } from './optional-body.js'
import type { App, Services } from './services.js'

const Hnsw = Type.Object(
  {
    m: Type.Integer({ minimum: 2, maximum: 128, description: 'Links per node. Fixed at creation.' }),
    ef_construction: Type.Integer({
      minimum: 8,
      maximum: 2000,
      description: 'Candidates during construction. Fixed at creation.'
    }),
    ef_search: Type.Integer({
      minimum: 8,
      maximum: 10000,
      description: 'Candidates during a search; more is slower and more accurate.'
    })
  },
  { additionalProperties: false, description: 'Settings of the HNSW graphs.' }
)

const Storage = Type.Enum(['original', 'thumbnail', 'none'], {
  description: 'What to keep of images in addition to their embeddings.'
})

export const CollectionBody = Type.Object({
  name: Type.String(),
  records: Type.Integer(),
  images: Type.Integer({ description: 'Records with a searchable image.' }),
  texts: Type.Integer({ description: 'Records with a searchable text.' }),
  dimension: Type.Integer(),
  model: Type.Union([Type.String(), Type.Null()], { description: 'null: clients supply the embeddings.' }),
  fingerprint: Type.Union([Type.String(), Type.Null()], {
    description: "SHA-256 of everything that the encoder's embeddings depend on."
  }),
  hnsw: Hnsw,
  storage: Storage,
  bytes: Type.Integer({ description: 'Size of kept images and embeddings.' }),
  created_at: Type.String({ format: 'date-time' }),
  snapshots: Type.Array(
    Type.Object({
      modality: Modality,
      created_at: Type.String({ format: 'date-time' }),
      bytes: Type.Integer()
    }),
    { description: 'The latest snapshots of the HNSW graphs, which the next start loads.' }
  )
})

const CreateBody = Type.Object(
  {
    model: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description:
          'By default the first loaded model; null with a `dimension` if clients supply the embeddings.'
      })
    ),
    dimension: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 8192,
        description: 'Dimension of embeddings that clients supply; otherwise set by the model.'
      })
    ),
    hnsw: Type.Optional(Type.Partial(Hnsw)),
    storage: Type.Optional(Storage)
  },
  { additionalProperties: false, examples: [{ storage: 'original', hnsw: { ef_search: 128 } }] }
)

const tags = ['Collections']

/** Creating, listing and dropping collections. */
export function collectionRoutes(app: App, { collections, encoders }: Services): void {
  app.put(
    '/v1/collections/:collection',
    {
      config: { scope: 'admin' },
      schema: {
        tags,
        operationId: 'createCollection',
        summary: 'Create a collection',
        description:
          'Repeating the call with the same settings changes nothing and never clears the collection. ' +
          '`storage` and `ef_search` can be changed later; changing other settings is answered 409.',
        params: OwnCollectionParams,
        body: CreateBody,
        response: responses({ 200: CollectionBody, 201: CollectionBody })
      },
      preValidation: optionalBody
    },
    async (request, reply) => {
      const { hnsw, storage, ...asked } = request.body as Static<typeof CreateBody>
      const { collection, created } = await collections.create(request.params.collection, (existing) => {
        const wanted = { ...toWire(existing?.hnsw ?? DEFAULT_HNSW), ...hnsw }
        return {
          ...(existing && asked.model === undefined && asked.dimension === undefined
            ? spaceOf(existing)
            : space(encoders, asked)),
          hnsw: { m: wanted.m, efConstruction: wanted.ef_construction, efSearch: wanted.ef_search },
          storage: storage ?? existing?.storage ?? 'original'
        }
      })
      return reply.code(created ? 201 : 200).send(await describe(collection))
    }
  )
  app.get(
    '/v1/collections/:collection',
    {
      schema: {
        tags,
        operationId: 'getCollection',
        summary: 'Show a collection',
        params: CollectionParams,
        response: responses({ 200: CollectionBody })
      }
    },
    async ({ params }) => describe(await collections.get(params.collection))
  )
  app.get(
    '/v1/collections',
    {
      schema: {
        tags,
        operationId: 'listCollections',
        summary: 'List the collections',
        response: responses({ 200: Type.Object({ collections: Type.Array(CollectionBody) }) })
      }
    },
    async (request) => ({
      collections: await Promise.all(
        (await collections.list()).filter(({ settings }) => request.reaches(settings.name)).map(describe)
      )
    })
  )
  app.delete(
    '/v1/collections/:collection',
    {
      config: { scope: 'admin' },
      schema: {
        tags,
        operationId: 'dropCollection',
        summary: 'Drop a collection with all its records',
        params: OwnCollectionParams,
        response: responses({ 204: Type.Null() })
      }
    },
    async ({ params }, reply) => {
      await collections.drop(params.collection)
      return reply.code(204).send(null)
    }
  )
}

type Space = Pick<CollectionSettings, 'model' | 'fingerprint' | 'dimension'>

function spaceOf({ model, fingerprint, dimension }: CollectionSettings): Space {
  return { model, fingerprint, dimension }
}

/** The space that a collection's embeddings lie in. Throws MODEL_NOT_FOUND or INVALID_REQUEST. */
function space(encoders: Encoders, { model: name, dimension }: Static<typeof CreateBody>): Space {
  if (name === null) {
    if (dimension === undefined)
      throw new InvalidRequest(
        'dimension is missing; a collection without a model needs the dimension of its embeddings.'
      )
    return { model: null, fingerprint: null, dimension }
  }
  const encoder = encoders.get(name)
  const { model } = encoder
  if (dimension !== undefined && dimension !== encoder.dimension)
    throw new InvalidRequest(
      `dimension must be ${encoder.dimension}, not ${dimension}, for the model '${model.name}'; to ` +
        'supply embeddings of another dimension, set model to null.'
    )
  return { model: model.name, fingerprint: model.fingerprint, dimension: encoder.dimension }
}

/** A collection as it stands in responses. */
export async function describe(collection: Collection): Promise<Static<typeof CollectionBody>> {
  const { name, dimension, model, fingerprint, hnsw, storage, createdAt } = collection.settings
  return {
    name,
    ...(await collection.counts()),
    dimension,
    model,
    fingerprint,
    hnsw: toWire(hnsw),
    storage,
    created_at: new Date(createdAt).toISOString(),
    snapshots: (await collection.snapshots()).map(({ modality, bytes, ...snapshot }) => ({
      modality,
      created_at: new Date(snapshot.createdAt).toISOString(),
      bytes
    }))
  }
}

function toWire({ m, efConstruction, efSearch }: HnswSettings): Static<typeof Hnsw> {
  return { m, ef_construction: efConstruction, ef_search: efSearch }
}
