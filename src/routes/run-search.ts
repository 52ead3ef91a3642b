import type { Static } from 'typebox'
import { parseFilter } from '../collections/filter.js'
import type { Fusion } from '../collections/fusion.js'
import type { Match, Target as TargetName } from '../collections/record.js'
import type { StageTimings } from '../encoder/encoder.js'
import { InvalidRequest } from '../errors.js'
import type { Metrics } from '../metrics.js'
import { encodeQuery, type QueryPart } from '../query.js'
import type { Target } from '../record-parts.js'
import { imageUrl } from './record-body.js'
import { MAX_DEPTH, type SearchBody, type SearchOptionsBody } from './search-schemas.js'

/** A search as a request asks for it. */
export interface Search {
  parts: QueryPart[]
  target: TargetName
  options: SearchOptionsBody
  fusion?: Fusion
  signal: AbortSignal
}

type Response = Static<typeof SearchBody>
type Fields = NonNullable<SearchOptionsBody['with']>

const DEFAULT_FIELDS: Fields = ['text', 'metadata', 'image_url']

/** Encodes the query, searches, and times both. Throws what the query, the filter or the collection refuse. */
export async function runSearch({ encoders, collection, metrics }: Target & { metrics: Metrics }, { parts, target, options, fusion, signal }: Search): Promise<Response> {
  const { limit = 10, offset = 0, exact, ef_search: efSearch } = options
  if (offset + limit > MAX_DEPTH) throw new InvalidRequest(`offset and limit together go up to ${MAX_DEPTH}.`)
  const filter = options.filter && parseFilter(options.filter)
  const timings: StageTimings = { queue: 0, decode: 0, preprocess: 0 }
  const startedAt = performance.now()
  const query = await encodeQuery({ encoders, collection }, parts, { lane: 'interactive', signal, timings })
  const encodedAt = performance.now()
  const { matches, explanation } = await collection.search(query, {
    target, limit, offset, exact, efSearch, filter, fusion,
    scoreThreshold: options.score_threshold,
    relativeThreshold: options.relative_threshold,
    without: parts.flatMap(({ record }) => record ?? []),
    withEmbeddings: options.with?.includes('embeddings')
  })
  const endedAt = performance.now()
  const encode = Math.max(0, encodedAt - startedAt - timings.queue - timings.decode - timings.preprocess)
  const took = { ...timings, encode, search: endedAt - encodedAt, total: endedAt - startedAt }
  metrics.observeStages(took)
  return {
    matches: matches.map((match) => toMatchBody(collection.settings.name, match, options.with ?? DEFAULT_FIELDS)),
    model: collection.settings.model,
    took_ms: Object.fromEntries(Object.entries(took).map(([stage, ms]) => [stage, Math.round(ms * 1000) / 1000])) as typeof took,
    ...(options.explain && { explanation })
  }
}

function toMatchBody(collection: string, { record, modality, score, embeddings }: Match, fields: Fields): Response['matches'][number] {
  const wanted = new Set<string>(fields)
  return {
    id: record.id,
    score,
    modality,
    ...(wanted.has('text') && { text: record.text }),
    ...(wanted.has('metadata') && { metadata: record.metadata }),
    ...(wanted.has('image_url') && { image_url: imageUrl(collection, record) }),
    ...(embeddings && { embeddings: { ...(embeddings.image && { image: [...embeddings.image] }), ...(embeddings.text && { text: [...embeddings.text] }) } })
  }
}
