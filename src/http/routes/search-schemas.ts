import { Type, type Static } from 'typebox'
import { FUSION_METHODS, NORMALISATIONS } from '../../collections/fusion.js'
import {
  EXAMPLE_IMAGE,
  FormImage,
  JsonImage,
  Limit,
  Metadata,
  Milliseconds,
  Modality,
  RecordId
} from '../schemas.js'

/** Deepest match that can be asked for, offset and limit together. */
export const MAX_DEPTH = 10_000
const MAX_PARTS = 32

export const FilterBody = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description:
    'A condition on metadata: `{"field": value}`, `{"field": {"$eq", "$ne", "$gt", "$gte", "$lt", ' +
    '"$lte", "$in": [..], "$nin": [..], "$all": [..], "$exists"}}`, and `$and`, `$or`, `$nor`, `$not`. ' +
    'Any element of a list may match; `a.b` is a field of an object. Dates and times with a zone (RFC ' +
    '3339) compare as instants.'
})
const Field = Type.Enum(['text', 'metadata', 'image_url', 'embeddings'])

/** What all searches take beside their query. */
export const searchOptions = {
  limit: Type.Optional(Limit),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_DEPTH,
      default: 0,
      description:
        `Matches to skip; with \`limit\` at most ${MAX_DEPTH}. Pages of one query are parts ` +
        'of one list as long as nothing is written.'
    })
  ),
  filter: Type.Optional(FilterBody),
  score_threshold: Type.Optional(Type.Number({ description: 'Minimum score of a match.' })),
  relative_threshold: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        'Minimum score relative to the best match: cosines are higher for some queries than for ' +
        'others, so one minimum score does not fit all.'
    })
  ),
  exact: Type.Optional(
    Type.Boolean({ description: 'Compare with every embedding instead of searching the HNSW graph.' })
  ),
  ef_search: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10000,
      description: "Candidates in the HNSW graph; by default the collection's setting."
    })
  ),
  with: Type.Optional(
    Type.Array(Field, {
      uniqueItems: true,
      description: 'Fields of the matches; by default text, metadata and image_url.'
    })
  ),
  explain: Type.Optional(
    Type.Boolean({
      description: 'Return `explanation`: how the search was done, and how many records passed the filter.'
    })
  )
}
export type SearchOptionsBody = Static<ReturnType<typeof Type.Object<typeof searchOptions>>>

export const TextQuery = Type.Object(
  { text: Type.String({ minLength: 1, description: 'What the pictures show.' }), ...searchOptions },
  {
    additionalProperties: false,
    examples: [{ text: 'a slice of pizza', limit: 3, filter: { group: 'food & drink' } }]
  }
)
export const JsonImageQuery = Type.Object(
  { image: JsonImage, ...searchOptions },
  { additionalProperties: false, examples: [{ image: EXAMPLE_IMAGE, limit: 3 }] }
)
export const FormImageQuery = Type.Object(
  { image: FormImage, ...searchOptions },
  { additionalProperties: false, examples: [{ limit: 3 }] }
)

export const EmbeddingBody = Type.Array(Type.Number(), { minItems: 1, maxItems: 8192 })
const Part = Type.Object(
  {
    text: Type.Optional(Type.String({ minLength: 1 })),
    image: Type.Optional(JsonImage),
    record: Type.Optional(
      Type.String({ ...RecordId, description: 'A record of this collection; it is left out of the matches.' })
    ),
    modality: Type.Optional(
      Type.Enum(['image', 'text'], {
        description:
          'Which embedding of the record to use; by default that of the image if the record has one.'
      })
    ),
    embedding: Type.Optional(EmbeddingBody),
    weight: Type.Optional(
      Type.Number({
        minimum: -100,
        maximum: 100,
        default: 1,
        description: 'A negative weight leads away from the part.'
      })
    )
  },
  { additionalProperties: false, description: 'One of text, image, record and embedding.' }
)
export const TargetName = Type.Enum(['image', 'text', 'record'], {
  default: 'image',
  description: 'What the query is compared with: images, texts, or records by both, fused.'
})
const Weights = Type.Object(
  {
    image: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    text: Type.Optional(Type.Number({ minimum: 0, maximum: 100 }))
  },
  { additionalProperties: false }
)

const FusionBody = Type.Object(
  {
    method: Type.Enum([...FUSION_METHODS], {
      description:
        'rrf: late fusion by reciprocal ranks with the constant 60. weighted: late fusion by the mean ' +
        'of the cosines. joint: early fusion, the cosine with one joint vector per record, the ' +
        'weighted sum of its two embeddings scaled to length 1.'
    }),
    weights: Type.Optional(Weights),
    normalisation: Type.Optional(
      Type.Enum([...NORMALISATIONS], {
        description:
          'For weighted: z-score averages the standard scores of the cosines within each modality, ' +
          'because cosines within one modality are higher than across modalities; none, the default, ' +
          'averages the cosines.'
      })
    )
  },
  {
    additionalProperties: false,
    description:
      'How image and text are combined into one score, for the target record; rrf by default. A record ' +
      'with only one of them is scored by that one.'
  }
)

/** What is searched for: one part, or several with weights. */
export const Query = Type.Union([Part, Type.Array(Part, { minItems: 1, maxItems: MAX_PARTS })])
export type QueryBody = Static<typeof Query>

export const GeneralQuery = Type.Object(
  { query: Query, target: Type.Optional(TargetName), fusion: Type.Optional(FusionBody), ...searchOptions },
  {
    additionalProperties: false,
    examples: [
      {
        query: [{ text: 'a fruit' }, { text: 'red', weight: 0.5 }, { text: 'an animal', weight: -0.5 }],
        target: 'image',
        limit: 3,
        explain: true
      }
    ]
  }
)

/** What the time of a search went to. */
export const SearchTook = Type.Object({
  queue: Milliseconds,
  decode: Milliseconds,
  preprocess: Milliseconds,
  encode: Milliseconds,
  search: Milliseconds,
  total: Milliseconds
})

const Embeddings = Type.Object({ image: Type.Optional(EmbeddingBody), text: Type.Optional(EmbeddingBody) })
export const SearchBody = Type.Object({
  matches: Type.Array(
    Type.Object({
      id: Type.String(),
      score: Type.Number({
        description:
          'The cosine of the query and the record, from -1 to 1; for the target record the fused score.'
      }),
      modality: Type.Union([Modality, Type.Literal('record')]),
      text: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      metadata: Type.Optional(Type.Union([Metadata, Type.Null()])),
      image_url: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      embeddings: Type.Optional(Embeddings)
    })
  ),
  model: Type.Union([Type.String(), Type.Null()]),
  took_ms: SearchTook,
  explanation: Type.Optional(
    Type.Object({
      strategy: Type.Enum(['exact', 'hnsw'], {
        description:
          'exact: all records that passed the filter were compared with the query. hnsw: the HNSW ' +
          'graph was searched; for deep pages, the rest was scanned as well.'
      }),
      passed: Type.Integer({ description: 'Records that passed the filter and have the modality.' }),
      total: Type.Integer({ description: 'Records that have the modality.' }),
      candidates: Type.Optional(
        Type.Integer({
          description:
            'For the target record: records whose scores were compared; with the strategy exact, all ' +
            'that passed the filter.'
        })
      )
    })
  )
})
