import type { Static } from 'typebox'
import type { CallOptions } from '../../threading/call-options.js'
import { parseFilter } from '../../collections/filter.js'
import type { Fusion } from '../../collections/fusion.js'
import type { Match, Target as TargetName } from '../../collections/record.js'
import { InvalidRequest } from '../../errors.js'
import { encodeQuery, type QueryPart } from '../../records/query.js'
import type { Target } from '../../records/record-parts.js'
import type { OnStep } from '../../telemetry/stages.js'
import { imageUrl } from './record-body.js'
import { MAX_DEPTH, type SearchBody, type SearchOptionsBody } from './search-schemas.js'
import { followSearch } from './search-took.js'

/** A search as a request asks for it. */
export interface Search {
  parts: QueryPart[]
  target: TargetName
  options: SearchOptionsBody
  fusion?: Fusion
  callOptions: CallOptions
  onStep: OnStep
}

/** The answer's body, its embeddings as they are: they become lists of numbers where it is written. */
type Response = Omit<Static<typeof SearchBody>, 'matches'> & { matches: object[] }
type Fields = NonNullable<SearchOptionsBody['with']>

const DEFAULT_FIELDS: Fields = ['text', 'metadata', 'image_url']

/**
 * Encodes the query, searches, and times both. Throws what the query, the filter or the collection refuse.
 */
export async function runSearch(
  { encoders, collection }: Target,
  { parts, target, options, fusion, callOptions, onStep }: Search
): Promise<Response> {
  const { limit = 10, offset = 0, exact, ef_search: efSearch } = options
  if (offset + limit > MAX_DEPTH) throw new InvalidRequest(`offset and limit together go up to ${MAX_DEPTH}.`)
  if (fusion) requireFusion(fusion)
  const filter = options.filter && parseFilter(options.filter)
  const { tell, took } = followSearch(onStep)
  const query = await encodeQuery({ encoders, collection }, parts, {
    lane: 'interactive',
    ...callOptions,
    onStep: tell
  })
  const searchedAt = performance.now()
  const { matches, explanation } = await collection.search(
    query,
    {
      target,
      limit,
      offset,
      exact,
      efSearch,
      filter,
      fusion,
      scoreThreshold: options.score_threshold,
      relativeThreshold: options.relative_threshold,
      without: parts.flatMap(({ record }) => record ?? []),
      withEmbeddings: options.with?.includes('embeddings')
    },
    callOptions
  )
  tell({
    stage: 'search',
    at: searchedAt,
    ms: performance.now() - searchedAt,
    attributes: {
      'semblance.collection': collection.settings.name,
      'semblance.target': target,
      'semblance.strategy': explanation.strategy
    }
  })
  return {
    matches: matches.map((match) =>
      toMatchBody(collection.settings.name, match, options.with ?? DEFAULT_FIELDS)
    ),
    model: collection.settings.model,
    took_ms: took(),
    ...(options.explain && { explanation })
  }
}

function requireFusion({ method, weights, normalisation }: Fusion): void {
  if (weights?.image === 0 && weights.text === 0)
    throw new InvalidRequest('fusion.weights are both 0: nothing would count.')
  if (normalisation !== undefined && method !== 'weighted')
    throw new InvalidRequest(`fusion.normalisation is for the method weighted, not for ${method}.`)
}

function toMatchBody(
  collection: string,
  { record, modality, score, embeddings }: Match,
  fields: Fields
): object {
  const wanted = new Set<string>(fields)
  return {
    id: record.id,
    score,
    modality,
    ...(wanted.has('text') && { text: record.text }),
    ...(wanted.has('metadata') && { metadata: record.metadata }),
    ...(wanted.has('image_url') && { image_url: imageUrl(collection, record) }),
    ...(embeddings && {
      embeddings: {
        ...(embeddings.image && { image: embeddings.image }),
        ...(embeddings.text && { text: embeddings.text })
      }
    })
  }
}
