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
    'A condition on metadata: `{"field": value}`, `{"field": {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", ' +
    '"$in": [..], "$nin": [..], "$all": [..], "$exists"}}`, and `$and`, `$or`, `$nor`, `$not`. ' +
    'Of a list any element may match; `a.b` is a field of an object. ' +
    'Dates and times with a zone (RFC 3339) compare as instants.'
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
        `Matches to pass over; with \`limit\` up to ${MAX_DEPTH}. ` +
        'Pages of one query are parts of one list, as long as nothing is written.'
    })
  ),
  filter: Type.Optional(FilterBody),
  score_threshold: Type.Optional(Type.Number({ description: 'Least score of a match.' })),
  relative_threshold: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        "Least part of the best match's score: cosines run higher for some queries than for others, so " +
        'that one least score does not fit all.'
    })
  ),
  exact: Type.Optional(
    Type.Boolean({ description: 'Compare with every embedding instead of the HNSW graph.' })
  ),
  ef_search: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10000,
      description: "Candidates in the graph; the collection's by default."
    })
  ),
  with: Type.Optional(
    Type.Array(Field, {
      uniqueItems: true,
      description: 'Fields of the matches; text, metadata and image_url by default.'
    })
  ),
  explain: Type.Optional(
    Type.Boolean({
      description: 'Say in `explanation` how it was searched, and how many records passed the filter.'
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
      Type.String({
        ...RecordId,
        description: 'A record of this collection, which is then left out of the matches.'
      })
    ),
    modality: Type.Optional(
      Type.Enum(['image', 'text'], {
        description: "Of the record's embeddings which; the image's by default, if it has one."
      })
    ),
    embedding: Type.Optional(EmbeddingBody),
    weight: Type.Optional(
      Type.Number({ minimum: -100, maximum: 100, default: 1, description: 'A negative one leads away.' })
    )
  },
  { additionalProperties: false, description: 'One of text, image, record and embedding.' }
)
export const TargetName = Type.Enum(['image', 'text', 'record'], {
  default: 'image',
  description: 'What the query is compared with: pictures, texts, or records by both, fused.'
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
        'rrf: late fusion by reciprocal ranks, 60 added. weighted: late fusion by the mean of the ' +
        'cosines. joint: early fusion, the cosine with one joint vector a record, the weighted sum of ' +
        'its two embeddings brought to length 1.'
    }),
    weights: Type.Optional(Weights),
    normalisation: Type.Optional(
      Type.Enum([...NORMALISATIONS], {
        description:
          'For weighted: z-score averages how many standard deviations each cosine is above the ' +
          "query's mean in its modality, since cosines of one kind run higher than those of two; none, " +
          'the default, averages the cosines.'
      })
    )
  },
  {
    additionalProperties: false,
    description:
      'How image and text become one score, for the target record; rrf by default. A record that has ' +
      'only one of them is judged by that one.'
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
          'The cosine of the query and the record, -1 to 1; for the target record what the fusion gives.'
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
          'exact: all that passed were compared with the query. hnsw: the HNSW graph was searched, for ' +
          'deep pages a scan of the rest as well.'
      }),
      passed: Type.Integer({ description: 'Records that passed the filter and hold the modality.' }),
      total: Type.Integer({ description: 'Records that hold the modality.' }),
      candidates: Type.Optional(
        Type.Integer({
          description:
            'For the target record: records whose scores were compared; all that passed where the ' +
            'strategy is exact.'
        })
      )
    })
  )
})
