import { Type, type Static, type TSchema } from 'typebox'
import { RECORD_ID } from '../collections/record.js'
import type { Unusable } from '../json/parse.js'

// Schemas that several routes share. On the wire names are snake_case.

export const ErrorBody = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'Stable, in capitals.' }),
      message: Type.String({ description: 'What is wrong and how to fix it.' }),
      request_id: Type.String({ description: 'Identifies the request in the log.' })
    })
  },
  { description: 'The error, in the common shape.' }
)

/** The responses of a route: the given one, and the error shape for every other status. */
export function responses<S extends Record<number, TSchema>>(success: S) {
  return { ...success, '4xx': ErrorBody, '5xx': ErrorBody }
}

/** What names of collections are made of. */
export const COLLECTION_NAME = '^[a-z0-9][a-z0-9_-]{0,63}$'
export const CollectionName = Type.String({
  pattern: COLLECTION_NAME,
  description: 'Name of a collection.',
  examples: ['emoji']
})
export const CollectionParams = Type.Object({ collection: CollectionName })

/** Of calls that change something: their examples leave the demo collection be. */
export const OwnCollectionName = Type.String({ ...CollectionName, examples: ['playground'] })
export const OwnCollectionParams = Type.Object({ collection: OwnCollectionName })

export const RecordId = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: RECORD_ID,
  description: 'Id of a record: up to 255 bytes of UTF-8, no control characters.'
})
export const RecordParams = Type.Object({
  collection: CollectionName,
  id: Type.String({ ...RecordId, examples: ['1f355'] })
})
export const OwnRecordParams = Type.Object({
  collection: OwnCollectionName,
  id: Type.String({ ...RecordId, examples: ['apple'] })
})

/** Base64 as it reaches a route: long texts are decoded while the body is parsed. */
export type SentBase64 = string | Uint8Array | Unusable

/** An image in JSON. */
export const JsonImage = Type.Object(
  {
    base64: Type.Optional(
      Type.Unsafe<SentBase64>({
        type: 'string',
        contentEncoding: 'base64',
        description: 'The bytes of the file in base64; a data: URL is also accepted.'
      })
    ),
    url: Type.Optional(
      Type.String({ description: 'URL to fetch the file from (disabled unless the operator enables it).' })
    )
  },
  {
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    description: 'Either base64 or url. jpeg, png, webp, gif, tiff or avif.'
  }
)

/** An image in a form: its bytes, which arrive as an object and are a string of format binary in OpenAPI. */
export const FormImage = Type.Unsafe<Uint8Array>({
  type: 'object',
  format: 'binary',
  description: 'An image file: jpeg, png, webp, gif, tiff or avif.'
})

/** A small picture for examples: an apple, drawn for this. */
export const EXAMPLE_IMAGE = {
  base64:
    'iVBORw0KGgoAAAANSUhEUgAAABgAAAAYBAMAAAASWSDLAAAAMFBMVEXdIiL///8iiETmWVnrenrfLCzgMjLiRET2xsb3ysr74eH6' +
    '39/2xMTiRkbfMTHqeHgB5k/5AAAACXBIWXMAAAsTAAALEwEAmpwYAAAAcklEQVQY02MQRAIMYFJIkRjO+SJ1HxhnMwOTAoM1hCP5' +
    'gAEI+CaCOfsYwCAbzDGAcJhBHBkGKDgI5MjDOI5AjjiMUwjkiMI4gegcuLKL6AbAjW5Et1RwGbJzJBNAbLaJMC8AgTXMc0euxnog' +
    'vI0SOlAAACknGS5obOCyAAAAAElFTkSuQmCC'
}

/** An image as it reaches a route, from JSON or from a form. */
export type ImageBody = Static<typeof JsonImage> | Uint8Array

export const Metadata = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description: 'Any JSON object, up to 64 KiB and 32 levels deep.'
})

const MAX_DIMENSION = 8192
const EmbeddingValues = Type.Union([
  Type.Array(Type.Number(), { minItems: 1, maxItems: MAX_DIMENSION }),
  Type.String({
    maxLength: Math.ceil((MAX_DIMENSION * 4) / 3) * 4,
    description: 'Base64 of float32 values, little-endian: a third of the bytes, and much faster to read.'
  })
])
/** Embeddings supplied by the client, by modality. */
export const Embeddings = Type.Object(
  { image: Type.Optional(EmbeddingValues), text: Type.Optional(EmbeddingValues) },
  {
    additionalProperties: false,
    minProperties: 1,
    description: "Embeddings supplied by the client, used in place of the encoder's; they are L2-normalised."
  }
)

export const RecordText = Type.String({
  description: 'Up to 8,000 characters; the model reads only the beginning.'
})

/** Ten years. */
const MAX_TTL_SECONDS = 315_360_000
export const TtlSeconds = Type.Integer({
  minimum: 1,
  maximum: MAX_TTL_SECONDS,
  description: 'Seconds after which the record expires; use instead of expires_at.'
})
export const ExpiresAt = Type.String({
  format: 'date-time',
  maxLength: 40,
  description: 'When the record expires: an RFC 3339 time in the future; use instead of ttl_seconds.'
})

export const Modality = Type.Enum(['image', 'text'])

const shownField = (description: string) => Type.Optional(Type.String({ description }))

/** The fields of a record that is sent in, once those that are null are left out. */
export const RecordFields = Type.Object(
  {
    id: Type.Optional(RecordId),
    text: Type.Optional(RecordText),
    metadata: Type.Optional(Metadata),
    image: Type.Optional(JsonImage),
    embeddings: Type.Optional(Embeddings),
    ttl_seconds: Type.Optional(TtlSeconds),
    expires_at: Type.Optional(ExpiresAt),
    image_url: shownField(
      'As returned by GET: the kept image of a record of this collection, used if no `image` is sent.'
    ),
    modalities: Type.Optional(
      Type.Array(Modality, { description: 'As returned by GET: all listed modalities must be sent.' })
    ),
    created_at: shownField('As returned by GET; ignored.'),
    updated_at: shownField('As returned by GET; ignored.')
  },
  { additionalProperties: false }
)

const orNull = (schema: TSchema) => Type.Optional(Type.Union([schema, Type.Null()]))

/** A record as it is sent in as JSON: any field may be null, as in a record that GET shows. */
export const JsonRecord = Type.Object(
  Object.fromEntries(Object.entries(RecordFields.properties).map(([name, schema]) => [name, orNull(schema)])),
  {
    additionalProperties: false,
    description: 'A null field counts as absent. A record as GET returns it can be sent again.'
  }
)

export const Limit = Type.Integer({
  minimum: 1,
  maximum: 1000,
  default: 10,
  description: 'Maximum matches to return.'
})

export const RecordBody = Type.Object({
  id: Type.String(),
  text: Type.Union([Type.String(), Type.Null()]),
  metadata: Type.Union([Metadata, Type.Null()]),
  modalities: Type.Array(Modality, { description: 'Modalities that the record is searchable by.' }),
  image_url: Type.Union([Type.String(), Type.Null()], { description: 'Path of the kept image.' }),
  created_at: Type.String({ format: 'date-time' }),
  updated_at: Type.String({ format: 'date-time' }),
  expires_at: Type.Optional(
    Type.String({ format: 'date-time', description: 'When the record expires, if it does.' })
  )
})

export const Milliseconds = Type.Number({ description: 'Milliseconds.' })
