import { bytes } from '../../hub/bytes.js'
import { showCollection } from '../collection-option.js'
import { table } from '../../terminal/table.js'
import { host } from '../host.js'
import { withStop } from '../with-stop.js'
import type { ShowOptions } from './options.js'

type Shown = Awaited<ReturnType<typeof showCollection>>

/** `semblance collections show`. */
export async function show(name: string, { json, ...options }: ShowOptions): Promise<void> {
  await withStop(options, async (service, signal) => {
    const collection = await showCollection(service, name, signal)
    host().stdout.write(json ? `${JSON.stringify(collection)}\n` : described(collection))
  })
}

/** A collection, a line for each of its properties. */
export function described({
  name,
  records,
  images,
  texts,
  model,
  fingerprint,
  dimension,
  storage,
  hnsw,
  bytes: size,
  snapshots,
  created_at: createdAt
}: Shown): string {
  return table([
    ['name', name],
    ['records', `${records}, ${images} with an image, ${texts} with a text`],
    ['model', model ?? 'none: embeddings are supplied by clients'],
    ...(fingerprint === null ? [] : [['fingerprint', fingerprint]]),
    ['dimension', String(dimension)],
    ['storage', storage],
    ['HNSW', `m ${hnsw.m}, ef_construction ${hnsw.ef_construction}, ef_search ${hnsw.ef_search}`],
    ['size', bytes(size)],
    [
      'snapshots',
      snapshots.map(({ modality, created_at: at }) => `${modality} of ${at}`).join(', ') || 'none yet'
    ],
    ['created', createdAt]
  ])
}
