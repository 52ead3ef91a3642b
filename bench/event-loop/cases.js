// What is sent: to every route of openapi.yaml bodies that are hostile whatever the route takes, and to those
// that answer at length or take much at a time the largest that they do.
import { COLLECTIONS, vector, WIDE } from './fill.js'

const MIB = 1 << 20
const base64 = 'A'.repeat(16 * MIB)
/** Bytes that begin as a JPEG does: a picture that brings its embedding is not decoded. */
const jpeg = Buffer.alloc(120_000, 1).fill('ffd8ffe000104a46494600', 0, 11, 'hex').toString('base64')
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const manyKeys = (count) => `{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join()}}`
const json = (method, path, value) => ({
  method,
  path,
  body: JSON.stringify(value),
  type: 'application/json'
})
const get = (path) => ({ method: 'GET', path })
const list = (length, make) => Array.from({ length }, (_, i) => make(i))
const post = (path, body, type = 'application/json') => ({ method: 'POST', path, body, type })

/** Bodies that no route takes, by their names. */
const HOSTILE = {
  deep: `{"filter":${'{"$not":'.repeat(20_000)}`,
  'deep lists': '['.repeat(900_000),
  'filter of 80,000 keys': `{"text":"x","filter":${manyKeys(80_000)}}`,
  'metadata of 80,000 keys': `{"metadata":${manyKeys(80_000)}}`,
  '500,000 values': `{"input":[${'1,"",'.repeat(250_000)}1]}`
}

/** Forms that no route takes, by their names. */
const HOSTILE_FORMS = {
  'form of deep values': () =>
    form(['filter', 'metadata', 'labels'].map((name) => [name, '['.repeat(900_000)])),
  'form of 1,000 dense fields': () =>
    form(list(1000, (i) => [['metadata', 'labels', 'text', 'filter'][i % 4], manyKeys(2000)])),
  'form of 256 files': () => form(list(256, () => ['image', '\xff\xd8\xff'.padEnd(60_000, 'x'), 'a.jpg']))
}
const FORM_TYPE = 'multipart/form-data; boundary=x'

/** Each operation, with its path filled in, and what is sent to it. */
export function* routeCases(description, { id }) {
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, { requestBody, operationId }] of Object.entries(operations)) {
      if (!operationId) continue
      // Nothing that the others look at is dropped.
      const collection = method === 'delete' ? 'none' : COLLECTIONS.metadata
      const filled = path
        .replace('{collection}', collection)
        .replace('{id}', encodeURIComponent(id))
        .replace(/\{file\}/, 'image.npy')
        .replace(/\{[a-z_]+\}/g, 'none')
      const call = { route: operationId, method: method.toUpperCase(), path: filled }
      const types = Object.keys(requestBody?.content ?? {})
      if (types.length === 0) yield { ...call, name: 'plain' }
      for (const type of types) {
        if (type === 'multipart/form-data')
          for (const [name, body] of Object.entries(HOSTILE_FORMS))
            yield { ...call, name, body: body(), type: FORM_TYPE }
        else
          for (const [name, body] of Object.entries(HOSTILE))
            yield { ...call, name: `${name}${type === 'application/json' ? '' : ` as ${type}`}`, body, type }
      }
    }
  }
}

/** The largest that single routes take and answer. */
export function* largeCases({ dimension }) {
  const at = `/v1/collections/${COLLECTIONS.metadata}`
  const wide = `/v1/collections/${COLLECTIONS.embeddings}`
  const many = `/v1/collections/${COLLECTIONS.records}`
  const records = (count, make) =>
    `{"records":[${Array.from({ length: count }, (_, i) => JSON.stringify(make(i))).join()}]}`
  yield {
    route: 'searchTextToImage',
    name: 'filter of 330,000 keys',
    ...post(`${at}/search/text-to-image`, `{"text":"x","filter":${manyKeys(60_000)}}`)
  }
  yield {
    route: 'searchImageToText',
    name: 'one picture of 16 MiB',
    ...post(`${at}/search/image-to-text`, `{"image":{"base64":"${base64}"}}`)
  }
  yield {
    route: 'search',
    name: 'filter of 1.6 million keys',
    ...post(`${at}/search`, `{"query":{"text":"x"},"filter":${manyKeys(1_400_000)}}`)
  }
  for (const target of ['text', 'record']) {
    yield {
      route: 'search',
      name: `1,000 embeddings, target ${target}`,
      ...post(
        `${at}/search`,
        JSON.stringify({
          query: { text: 'x' },
          target,
          limit: 1000,
          with: ['text', 'metadata', 'embeddings']
        })
      )
    }
  }
  yield {
    route: 'search',
    name: '1,000 x 2 embeddings of 8,192',
    ...json('POST', `${wide}/search`, {
      query: { record: 'r1' },
      target: 'record',
      limit: 1000,
      with: ['text', 'embeddings']
    })
  }
  yield {
    route: 'search',
    name: '10,000 records deep',
    ...json('POST', `${many}/search`, { query: { record: 'r1' }, target: 'image', limit: 1000, offset: 9000 })
  }
  yield {
    route: 'searchByText',
    name: '1,000 with metadata',
    ...get(`${at}/search?text=x&target=text&limit=1000`)
  }
  yield {
    route: 'searchMatrix',
    name: '100,000 records, 20 neighbors, 2 fields',
    ...json('POST', `${many}/search/matrix`, { sample: 100_000, neighbors: 20, fields: ['n', 'path'] })
  }
  yield {
    route: 'countFacets',
    name: '100,000 records, 1,000 values a field',
    ...get(`${many}/facets?limit=1000`)
  }
  yield { route: 'countFacets', name: '500 fields', ...get(`${at}/facets?limit=1000`) }
  yield { route: 'listRecords', name: '1,000 with metadata', ...get(`${at}/records?limit=1000`) }
  yield {
    route: 'listRecords',
    name: '1,000 texts of 8,000 characters',
    ...get(`${wide}/records?limit=1000`)
  }
  yield {
    route: 'patchRecord',
    name: '18.8 MiB of metadata',
    method: 'PATCH',
    path: `${at}/records/r1`,
    body: `{"metadata":${manyKeys(1_100_000)}}`,
    type: 'application/json'
  }
  yield {
    route: 'upsertRecords',
    name: 'one record of 51 MiB',
    ...post(`${at}/records`, `{"records":[{"id":"big","text":"x","metadata":${manyKeys(2_900_000)}}]}`)
  }
  yield {
    route: 'upsertRecords',
    name: '256 pictures, 64 MiB',
    ...post(
      `${at}/records`,
      records(256, (i) => ({ id: `p${i}`, image: { base64: base64.slice(0, 240_000) } }))
    )
  }
  yield {
    route: 'upsertRecords',
    name: '256 x 60 KiB of metadata',
    ...post(
      `${at}/records`,
      records(256, (i) => ({
        id: `m${i}`,
        text: 'x',
        metadata: Object.fromEntries(Array.from({ length: 300 }, (_, j) => [`k${j}`, 'v'.repeat(180)]))
      }))
    )
  }
  yield {
    route: 'upsertRecords',
    name: '256 x 2 embeddings',
    ...post(
      `${at}/records`,
      records(256, (i) => ({
        id: `e${i}`,
        embeddings: { text: Array.from({ length: dimension }, (_, j) => Math.sin(i + j)) }
      }))
    )
  }
  yield {
    route: 'upsertRecords',
    name: '256 x 2 embeddings of 8,192 and kept pictures, 60 MiB',
    ...post(
      `${wide}/records`,
      records(250, (i) => ({
        id: `w${i}`,
        text: 'x',
        image: { base64: jpeg },
        embeddings: { text: vector(WIDE, i), image: vector(WIDE, i) }
      }))
    )
  }
  yield {
    route: 'bulkRecords',
    name: '1,000 lines of embeddings of 8,192',
    ...post(
      `${wide}/records/bulk`,
      list(1000, (i) => JSON.stringify({ id: `r${i}`, embeddings: { text: vector(WIDE, i) } })).join('\n'),
      'application/x-ndjson'
    )
  }
  yield {
    route: 'bulkRecords',
    name: '100,000 lines {}',
    ...post(`${at}/records/bulk`, '{}\n'.repeat(100_000), 'application/x-ndjson')
  }
  yield {
    route: 'bulkRecords',
    name: '64 lines of 5,000 keys',
    ...post(
      `${at}/records/bulk`,
      `{"text":"x","metadata":${manyKeys(5000)}}\n`.repeat(64),
      'application/x-ndjson'
    )
  }
  yield {
    route: 'createEmbeddings',
    name: '1 million inputs',
    ...post('/v1/embeddings', `{"input":[${'"a",'.repeat(1_000_000)}"a"]}`)
  }
  for (const format of ['float', 'base64']) {
    yield {
      route: 'createEmbeddings',
      name: `2,048 embeddings, ${format}`,
      ...post(
        '/v1/embeddings',
        JSON.stringify({
          input: Array.from({ length: 2048 }, (_, i) => `a ${i % 50}`),
          encoding_format: format
        })
      )
    }
  }
  yield {
    route: 'scoreRecords',
    name: '100,000 ids',
    ...post(
      `${at}/search/scores`,
      JSON.stringify({
        query: { text: 'x' },
        target: 'text',
        ids: Array.from({ length: 100_000 }, (_, i) => `r${i % 1000}`)
      })
    )
  }
  yield {
    route: 'upsertRecords',
    name: 'form of 1,000 metadata fields',
    ...post(`${at}/records`, form(list(250, () => ['metadata', manyKeys(6000)])), FORM_TYPE)
  }
  yield {
    route: 'searchImageToText',
    name: 'form with a deep filter',
    ...post(`${at}/search/image-to-text`, form([['filter', '['.repeat(900_000)]]), FORM_TYPE)
  }
  yield {
    route: 'zeroShot',
    name: '4,096 labels',
    ...json('POST', '/v1/zero-shot', {
      image: { base64: png },
      labels: list(4096, (i) => `label ${i}`),
      templates: ['{}']
    })
  }
  yield {
    route: 'compare',
    name: '256 texts x 64 pictures',
    ...json('POST', '/v1/similarity', {
      texts: list(256, (i) => `a ${i % 50}`),
      images: list(64, () => ({ base64: png }))
    })
  }
  yield {
    route: 'trainClassifier',
    name: '10,000 examples',
    ...json('PUT', '/v1/classifiers/sent', {
      examples: list(10_000, (i) => ({ label: `l${i % 2}`, text: `a ${i % 10}` }))
    })
  }
  yield {
    route: 'trainClassifier',
    name: 'records with metadata',
    ...json('PUT', '/v1/classifiers/kept', {
      collection: COLLECTIONS.metadata,
      label_field: 'kind',
      modalities: ['text']
    })
  }
  yield {
    route: 'trainClassifier',
    name: 'records with embeddings of 8,192',
    ...json('PUT', '/v1/classifiers/wide', {
      collection: COLLECTIONS.embeddings,
      label_field: 'kind',
      modalities: ['text']
    })
  }
  yield {
    route: 'classify',
    name: '64 pictures',
    ...json('POST', '/v1/classifiers/kept/classify', { images: list(64, () => ({ base64: png })) })
  }
  yield {
    route: 'startEvaluation',
    name: 'records with metadata',
    ...json('POST', '/v1/evaluations', { dataset: { collection: COLLECTIONS.metadata, label_field: 'kind' } })
  }
  yield {
    route: 'exportRecords',
    name: 'all embeddings and pictures',
    ...get(`${wide}/export?embeddings=true&images=true`)
  }
  yield { route: 'exportEmbeddings', name: '1,000 of 8,192', ...get(`${wide}/export/text.npy`) }
  yield {
    route: 'makeBackup',
    name: 'embeddings and pictures',
    ...json('POST', `${wide}/backups`, { name: 'all' })
  }
  yield { route: 'getBackup', name: 'embeddings and pictures', ...get(`${wide}/backups/all`) }
  yield {
    route: 'restoreCollection',
    name: 'embeddings and pictures',
    ...json('POST', '/v1/collections/again/restore', { backup: 'all', from: COLLECTIONS.embeddings })
  }
  yield { route: 'makeBackup', name: 'metadata', ...json('POST', `${at}/backups`, { name: 'all' }) }
  yield {
    route: 'restoreCollection',
    name: 'metadata',
    ...json('POST', '/v1/collections/again2/restore', { backup: 'all', from: COLLECTIONS.metadata })
  }
  yield {
    route: 'reindexCollection',
    name: 'records with metadata',
    ...json('POST', `${at}/reindex`, { skip_missing: true })
  }
  yield {
    route: 'deleteRecords',
    name: '10,000 ids',
    ...json('POST', `${many}/records/delete`, { ids: list(10_000, (i) => `r${i}`) })
  }
  yield {
    route: 'deleteRecords',
    name: '90,000 by a filter',
    ...json('POST', `${many}/records/delete`, { filter: { n: { $gte: 0 } } })
  }
}

function form(fields) {
  const part = ([name, value, file]) =>
    `--x\r\ncontent-disposition: form-data; ` +
    `name="${name}"${file ? `; filename="${file}"` : ''}\r\n\r\n${value}\r\n`
  return Buffer.from(`${fields.map(part).join('')}--x--\r\n`, 'latin1')
}
