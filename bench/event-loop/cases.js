// What is sent: to every route of openapi.yaml bodies that are hostile whatever the route takes, and to those that answer at length
// or take much at a time the largest that they do.
const MIB = 1 << 20
const base64 = 'A'.repeat(16 * MIB)
const manyKeys = (count) => `{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join()}}`
const post = (path, body, type = 'application/json') => ({ method: 'POST', path, body, type })

/** Bodies that no route takes, by their names. */
const HOSTILE = {
  'deep': `{"filter":${'{"$not":'.repeat(20_000)}`,
  'deep lists': '['.repeat(900_000),
  'filter of 80,000 keys': `{"text":"x","filter":${manyKeys(80_000)}}`,
  'metadata of 80,000 keys': `{"metadata":${manyKeys(80_000)}}`,
  '500,000 values': `{"input":[${'1,"",'.repeat(250_000)}1]}`
}

/** Each operation, with its path filled in, and what is sent to it. */
export function* routeCases(description, { collection, id }) {
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, { requestBody, operationId }] of Object.entries(operations)) {
      if (!operationId || /drop|delete|cancel|bulk/i.test(operationId)) continue
      const filled = path.replace('{collection}', collection).replace('{id}', encodeURIComponent(id)).replace(/\{file\}/, 'image.npy').replace(/\{[a-z_]+\}/g, 'none')
      const call = { method: method.toUpperCase(), path: filled }
      if (requestBody?.content?.['application/json']) {
        for (const [name, body] of Object.entries(HOSTILE)) yield { route: operationId, name, ...call, body, type: 'application/json' }
      } else yield { route: operationId, name: 'plain', ...call }
    }
  }
}

/** The largest that single routes take and answer. */
export function* largeCases({ collection, dimension }) {
  const at = `/v1/collections/${collection}`
  const records = (count, make) => `{"records":[${Array.from({ length: count }, (_, i) => JSON.stringify(make(i))).join()}]}`
  yield { route: 'searchTextToImage', name: 'filter of 330,000 keys', ...post(`${at}/search/text-to-image`, `{"text":"x","filter":${manyKeys(60_000)}}`) }
  yield { route: 'searchImageToText', name: 'one picture of 16 MiB', ...post(`${at}/search/image-to-text`, `{"image":{"base64":"${base64}"}}`) }
  yield { route: 'search', name: 'filter of 1.6 million keys', ...post(`${at}/search`, `{"query":{"text":"x"},"filter":${manyKeys(1_400_000)}}`) }
  for (const target of ['text', 'record']) {
    yield { route: 'search', name: `1,000 embeddings, target ${target}`, ...post(`${at}/search`, JSON.stringify({ query: { text: 'x' }, target, limit: 1000, with: ['text', 'metadata', 'embeddings'] })) }
  }
  yield { route: 'listRecords', name: '1,000 with metadata', method: 'GET', path: `${at}/records?limit=1000` }
  yield { route: 'patchRecord', name: '18.8 MiB of metadata', method: 'PATCH', path: `${at}/records/r1`, body: `{"metadata":${manyKeys(1_100_000)}}`, type: 'application/json' }
  yield { route: 'upsertRecords', name: 'one record of 51 MiB', ...post(`${at}/records`, `{"records":[{"id":"big","text":"x","metadata":${manyKeys(2_900_000)}}]}`) }
  yield { route: 'upsertRecords', name: '256 pictures, 64 MiB', ...post(`${at}/records`, records(256, (i) => ({ id: `p${i}`, image: { base64: base64.slice(0, 240_000) } }))) }
  yield { route: 'upsertRecords', name: '256 x 60 KiB of metadata', ...post(`${at}/records`, records(256, (i) => ({ id: `m${i}`, text: 'x', metadata: Object.fromEntries(Array.from({ length: 300 }, (_, j) => [`k${j}`, 'v'.repeat(180)])) }))) }
  yield { route: 'upsertRecords', name: '256 x 2 embeddings', ...post(`${at}/records`, records(256, (i) => ({ id: `e${i}`, embeddings: { text: Array.from({ length: dimension }, (_, j) => Math.sin(i + j)) } }))) }
  yield { route: 'bulkRecords', name: '100,000 lines {}', ...post(`${at}/records/bulk`, '{}\n'.repeat(100_000), 'application/x-ndjson') }
  yield { route: 'bulkRecords', name: '64 lines of 10,000 keys', ...post(`${at}/records/bulk`, `{"text":"x","metadata":${manyKeys(5000)}}\n`.repeat(64), 'application/x-ndjson') }
  yield { route: 'createEmbeddings', name: '1 million inputs', ...post('/v1/embeddings', `{"input":[${'"a",'.repeat(1_000_000)}"a"]}`) }
  for (const format of ['float', 'base64']) {
    yield { route: 'createEmbeddings', name: `2,048 embeddings, ${format}`, ...post('/v1/embeddings', JSON.stringify({ input: Array.from({ length: 2048 }, (_, i) => `a ${i % 50}`), encoding_format: format })) }
  }
  yield { route: 'scoreRecords', name: '100,000 ids', ...post(`${at}/search/scores`, JSON.stringify({ query: { text: 'x' }, target: 'text', ids: Array.from({ length: 100_000 }, (_, i) => `r${i % 1000}`) })) }
  yield { route: 'upsertRecords', name: 'form of 1,000 metadata fields', ...post(`${at}/records`, form(Array.from({ length: 250 }, () => ['metadata', manyKeys(6000)])), 'multipart/form-data; boundary=x') }
  yield { route: 'searchImageToText', name: 'form with a deep filter', ...post(`${at}/search/image-to-text`, form([['filter', '['.repeat(900_000)]]), 'multipart/form-data; boundary=x') }
}

function form(fields) {
  return fields.map(([name, value]) => `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('') + '--x--\r\n'
}
