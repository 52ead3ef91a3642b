import type { Client } from '../../../../src/client/client.js'

/** A sample of a collection, with the nearest of the sample to each of it. */
export interface Neighbors {
  ids: string[]
  /** Neighbours of each. */
  k: number
  /** Positions in `ids`, shape `[ids, k]`, nearest first. */
  nearest: Uint32Array
  /** Cosines, shape `[ids, k]`. */
  similarities: Float32Array
  /** Records of the collection that have the modality and pass. */
  records: number
}

export type Target = 'image' | 'text'

/** Neighbours that a layout goes by, as UMAP has it by default. */
const NEIGHBORS = 15

/** Stands where a record has fewer neighbours than it should. */
const NOBODY = 0xffffffff

/** Asks the service for a sample and its neighbours. */
export async function fetchNeighbors(
  client: Client,
  {
    collection,
    target,
    sample,
    signal
  }: { collection: string; target: Target; sample: number; signal: AbortSignal }
): Promise<Neighbors> {
  const { ids, k, neighbors, similarities, records } = await client.post(
    '/v1/collections/{collection}/search/matrix',
    { params: { path: { collection } }, body: { target, sample, neighbors: NEIGHBORS }, signal }
  )
  const nearest = new Uint32Array(bytesOf(neighbors))
  const cosines = new Float32Array(bytesOf(similarities))
  // Where one was removed meanwhile a point is its own neighbour, as far as can be.
  nearest.forEach((point, at) => {
    if (point === NOBODY) [nearest[at], cosines[at]] = [Math.floor(at / k), -1]
  })
  return { ids, k, records, nearest, similarities: cosines }
}

/** How alike each of the sample is to a text; NaN where it has no such embedding. */
export async function fetchScores(
  client: Client,
  {
    collection,
    target,
    ids,
    text,
    signal
  }: { collection: string; target: Target; ids: string[]; text: string; signal: AbortSignal }
): Promise<Float32Array> {
  const { scores } = await client.post('/v1/collections/{collection}/search/scores', {
    params: { path: { collection } },
    body: { query: { text }, target, ids },
    signal
  })
  return new Float32Array(bytesOf(scores))
}

/** A field's value of each of the sample, null where there is none. */
export async function fetchValues(
  client: Client,
  {
    collection,
    target,
    sample,
    field,
    signal
  }: { collection: string; target: Target; sample: number; field: string; signal: AbortSignal }
): Promise<Map<string, unknown>> {
  const { ids, values } = await client.post('/v1/collections/{collection}/search/matrix', {
    params: { path: { collection } },
    body: { target, sample, neighbors: 0, fields: [field] },
    signal
  })
  return new Map(ids.map((id, position) => [id, values?.[field]?.[position] ?? null]))
}

/** The bytes of base64. */
function bytesOf(base64: string): ArrayBuffer {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes.buffer
}
