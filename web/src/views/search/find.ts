import type { Answer } from '../../../../src/client/client.js'
import { call } from '../../connection.js'
import type { SearchRequest } from './search-request.js'
import { toFilter } from './condition.js'
import { droppedImage } from './dropped-images.js'

/** Matches that are asked for at a time. */
export const PAGE = 48
/** Deepest match that the service gives. */
const MAX_DEPTH = 10_000

type Search = Answer<'/v1/collections/{collection}/search', 'post'>
export type Took = Search['took_ms']
export type Explanation = Search['explanation']

/** A record that was found, or that is only listed: then it has no score. */
export interface Found {
  id: string
  text?: string | null
  image_url?: string | null
  score?: number
}

/** Some of what was found, and where to continue. */
export interface Page {
  found: Found[]
  /** For the page after this; undefined on the last one. */
  next?: string
  took?: Took
  explanation?: Explanation
}

/** Parts as the service takes them. Pictures that are not here any more are left out. */
export async function toQuery({ text, parts }: SearchRequest) {
  const written = parts.map(async ({ kind, value, weight }) => {
    if (kind !== 'image') return [{ [kind]: value, weight }]
    const image = droppedImage(value)
    return image ? [{ image: { base64: await image.base64 }, weight }] : []
  })
  return [
    ...(text.trim() === '' ? [] : [{ text: text.trim(), weight: 1 }]),
    ...(await Promise.all(written)).flat()
  ]
}

interface Place {
  collection: string
  /** Where to continue, of the page before. */
  from?: string
  signal: AbortSignal
}

/** Searches; where there is no query left it lists. Throws what the service says, and AbortError. */
export async function find(request: SearchRequest, place: Place): Promise<Page> {
  const query = await toQuery(request)
  return query.length > 0 ? search(request, query, place) : list(request, place)
}

async function search(
  { target, exact, conditions }: SearchRequest,
  query: Awaited<ReturnType<typeof toQuery>>,
  { collection, from = '0', signal }: Place
): Promise<Page> {
  const offset = Number(from)
  const body = { query, target, limit: PAGE, offset, exact, explain: true, filter: toFilter(conditions) }
  const {
    matches,
    took_ms: took,
    explanation
  } = await call((client) =>
    client.post('/v1/collections/{collection}/search', { params: { path: { collection } }, body, signal })
  )
  const isLast = matches.length < PAGE || offset + 2 * PAGE > MAX_DEPTH
  return { found: matches, took, explanation, next: isLast ? undefined : String(offset + PAGE) }
}

async function list(
  { conditions }: SearchRequest,
  { collection, from: cursor, signal }: Place
): Promise<Page> {
  const filter = toFilter(conditions)
  const query = { limit: PAGE, cursor, ...(filter && { filter: JSON.stringify(filter) }) }
  const { records, next_cursor: next } = await call((client) =>
    client.get('/v1/collections/{collection}/records', { params: { path: { collection }, query }, signal })
  )
  return { found: records, next: next ?? undefined }
}
