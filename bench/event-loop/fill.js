// What the service holds when it is measured: collections of large metadata, of large embeddings and texts,
// and of many records.
const JSON_TYPE = { 'content-type': 'application/json' }
const NDJSON_TYPE = { 'content-type': 'application/x-ndjson' }
/** Bytes of lines that are sent at a time. */
const CHUNK = 1 << 20

/** The collections, by what is large in them. */
export const COLLECTIONS = { metadata: 'pieces', embeddings: 'wide', records: 'many' }
export const WIDE = 8192

/**
 * Creates the collections: `records` of 57 KiB of metadata, as many with embeddings of 8,192 dimensions, and
 * `many` small ones.
 */
export async function fill(url, { records, many }) {
  const put = (name, settings) =>
    fetch(`${url}/v1/collections/${name}`, {
      method: 'PUT',
      headers: JSON_TYPE,
      body: JSON.stringify(settings)
    })
  await put(COLLECTIONS.metadata, { storage: 'none' })
  await put(COLLECTIONS.embeddings, { model: null, dimension: WIDE, storage: 'original' })
  await put(COLLECTIONS.records, { model: null, dimension: 4 })
  const metadata = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`key-${i}`, `${'value '.repeat(17)}${i}`])
  )
  await load(url, COLLECTIONS.metadata, records, (i) => ({
    id: `r${i}`,
    text: `record ${i % 20}`,
    metadata: { ...metadata, kind: `k${i % 4}` }
  }))
  await load(url, COLLECTIONS.embeddings, records, (i) => ({
    id: `r${i}`,
    text: 'ж'.repeat(8000),
    embeddings: { text: vector(WIDE, i), image: vector(WIDE, i + 1) }
  }))
  await load(url, COLLECTIONS.records, many, (i) => ({
    id: `r${i}`,
    metadata: { n: i, path: `photos/${i}.jpg` },
    embeddings: { image: vector(4, i) }
  }))
}

/** An embedding in base64. */
export function vector(dimension, seed) {
  return Buffer.from(
    Float32Array.from({ length: dimension }, (_, i) => Math.sin(seed + i * (seed + 2))).buffer
  ).toString('base64')
}

async function load(url, collection, count, make) {
  async function* lines() {
    let chunk = ''
    for (let i = 0; i < count; i++) {
      chunk += JSON.stringify(make(i)) + '\n'
      if (chunk.length < CHUNK && i < count - 1) continue
      yield Buffer.from(chunk)
      chunk = ''
    }
  }
  const response = await fetch(`${url}/v1/collections/${collection}/records/bulk`, {
    method: 'POST',
    headers: NDJSON_TYPE,
    body: lines(),
    duplex: 'half'
  })
  const created = (await response.text()).split('"created"').length - 1
  if (created !== count) throw new Error(`${created} of ${count} records of ${collection} were created.`)
}
