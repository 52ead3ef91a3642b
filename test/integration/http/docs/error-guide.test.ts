import { readFile } from 'node:fs/promises'
import t from 'tap'
import { OPERATION_ERRORS } from '../../../../src/http/docs/operation-errors.js'
import { DOCUMENTED_ERRORS, ERROR_GUIDE } from '../../../../src/http/docs/error-guide.js'
import * as errors from '../../../../src/errors.js'
import type { Answer, Description } from '../../../../src/http/docs/code-samples/operation.js'
import { examplesInOrder, EXAMPLE_JOB } from '../../../fixtures/examples.js'
import { form, golden } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

t.test('every public error is documented, with its status, under its code alone', async (t) => {
  const made = Object.values(errors).flatMap((each) =>
    'prototype' in each && each.prototype instanceof Error ? [new (each as typeof errors.Internal)()] : []
  )
  t.ok(made.length > 50)
  for (const { code, statusCode } of made)
    t.equal(DOCUMENTED_ERRORS.find((error) => error.code === code)?.status, statusCode, code)
  t.same(
    Object.keys(ERROR_GUIDE).filter(
      (code) => code !== 'BODY_TOO_LARGE' && !made.some((error) => error.code === code)
    ),
    [],
    'and none that is not there'
  )
  for (const { code, meaning, remedy } of DOCUMENTED_ERRORS)
    t.ok(/\.$/.test(meaning) && /\.$/.test(remedy), code)
})

t.test('docs/api.md has the same table', async (t) => {
  const rows = DOCUMENTED_ERRORS.map(
    ({ code, status, meaning, remedy }) => `| ${status} | \`${code}\` | ${meaning} | ${remedy} |`
  )
  const page = await readFile(new URL('../../../../docs/api.md', import.meta.url), 'utf8')
  t.equal(
    page.split('<!-- errors -->')[1]?.split('<!-- /errors -->')[0].trim(),
    ['| status | code | what it means | what to do |', '| --- | --- | --- | --- |', ...rows].join('\n')
  )
})

/** The codes that an operation is said to answer, by status. */
function documentedCodes(responses: Record<string, Answer>): [status: number, code: string][] {
  return Object.entries(responses).flatMap(([status, { content = {} }]) =>
    Object.keys(content['application/json']?.examples ?? {}).map((code): [number, string] => [
      Number(status),
      code
    ])
  )
}

t.test('each operation says what it may answer, and answers nothing else', async (t) => {
  const { api } = await testServer(t, {
    MODELS_DIR: 'test/fixtures/towers',
    MODELS: 'clip',
    MAX_IMAGE_MIB: '1'
  })
  const { body } = await api('GET', '/openapi.json')
  const description = body as Description
  const operations = examplesInOrder(description)
  t.same(
    operations.map(({ operation }) => operation.operationId).sort(),
    Object.keys(OPERATION_ERRORS).sort(),
    'the table of codes has each operation'
  )
  for (const { operation } of operations) {
    t.notOk('4XX' in operation.responses || '5XX' in operation.responses, operation.operationId)
    for (const [status, code] of documentedCodes(operation.responses))
      t.equal(description.components.examples[code]['x-status'], status, `${operation.operationId}: ${code}`)
  }

  const image = (await golden('portrait.jpg')).toString('base64')
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', {
    records: [
      { id: 'a', text: 'x' },
      { id: 'b', image: { base64: image } }
    ]
  })
  await api('PUT', '/v1/collections/own', { model: null, dimension: 3 })
  await api('POST', '/v1/collections/things/backups', { name: 'one' })
  const things = '/v1/collections/things'
  const ndjson = { headers: { 'content-type': 'application/x-ndjson' } }
  const sqlite = { headers: { 'content-type': 'application/vnd.sqlite3' } }
  const faulty: [operationId: string, method: string, path: string, body?: unknown, init?: RequestInit][] = [
    ['searchTextToImage', 'POST', `${things}/search/text-to-image`, { text: 'x', filter: { a: { $no: 1 } } }],
    ['searchTextToImage', 'POST', `${things}/search/text-to-image`, { text: 'x'.repeat(8001) }],
    ['searchTextToImage', 'POST', '/v1/collections/own/search/text-to-image', { text: 'x' }],
    ['searchTextToImage', 'POST', '/v1/collections/none/search/text-to-image', { text: 'x' }],
    [
      'searchImageToText',
      'POST',
      `${things}/search/image-to-text`,
      form([['image', Buffer.from('no picture')]])
    ],
    [
      'searchImageToText',
      'POST',
      `${things}/search/image-to-text`,
      { image: { url: 'https://example.com/a.png' } }
    ],
    [
      'searchImageToText',
      'POST',
      `${things}/search/image-to-text`,
      'x',
      { headers: { 'content-type': 'text/plain' } }
    ],
    [
      'searchImageToText',
      'POST',
      `${things}/search/image-to-text`,
      form([['image', Buffer.alloc((1 << 20) + 2)]])
    ],
    ['search', 'POST', `${things}/search`, { query: { record: 'none' } }],
    ['search', 'POST', `${things}/search`, { query: { text: 'x', record: 'a' } }],
    ['search', 'POST', `${things}/search`, { query: { embedding: [1, 2] } }],
    ['searchByText', 'GET', `${things}/search?text=x&filter=no`],
    ['searchMatrix', 'POST', `${things}/search/matrix`, { filter: { a: { $no: 1 } } }],
    ['scoreRecords', 'POST', `${things}/search/scores`, { query: {}, ids: ['a'] }],
    ['countFacets', 'GET', `${things}/facets?filter={"a":{"$no":1}}`],
    ['snapshotCollection', 'POST', '/v1/collections/none/snapshot'],
    ['zeroShot', 'POST', '/v1/zero-shot', { image: { base64: image }, labels: ['a', 'a'] }],
    [
      'zeroShot',
      'POST',
      '/v1/zero-shot',
      { image: { base64: image }, labels: ['a', 'b'], templates: 'none' }
    ],
    ['zeroShot', 'POST', '/v1/zero-shot', { image: { base64: image }, labels: ['a'], model: 'none' }],
    ['createEmbeddings', 'POST', '/v1/embeddings', { input: 'x', dimensions: 1 }],
    [
      'createEmbeddings',
      'POST',
      '/v1/embeddings',
      { input: 'x' },
      { headers: { 'content-type': 'application/json', 'x-request-timeout': 'no' } }
    ],
    ['getModel', 'GET', '/v1/models/none'],
    ['compare', 'POST', '/v1/similarity', { texts: ['x'], images: [{ base64: 'AAAA' }] }],
    ['upsertRecords', 'POST', `${things}/records`, { records: [] }],
    ['listRecords', 'GET', `${things}/records?filter={"a":{"$no":1}}`],
    ['getRecord', 'GET', `${things}/records/none`],
    ['patchRecord', 'PATCH', `${things}/records/none`, { text: 'x' }],
    ['patchRecord', 'PATCH', `${things}/records/a`, { text: ' ' }],
    ['deleteRecord', 'DELETE', `${things}/records/none`],
    ['getRecordImage', 'GET', `${things}/records/a/image`],
    ['deleteRecords', 'POST', `${things}/records/delete`, { filter: {} }],
    ['bulkRecords', 'POST', '/v1/collections/none/records/bulk', '{}\n', ndjson],
    ['getBulkLoad', 'GET', `${things}/bulk/none`],
    ['createCollection', 'PUT', things, { hnsw: { m: 3 } }],
    ['createCollection', 'PUT', '/v1/collections/other', { model: 'none' }],
    ['getCollection', 'GET', '/v1/collections/none'],
    ['dropCollection', 'DELETE', '/v1/collections/none'],
    ['makeBackup', 'POST', `${things}/backups`, { name: 'one' }],
    ['getBackup', 'GET', `${things}/backups/none`],
    ['getBackup', 'GET', `${things}/backups/one`, undefined, { headers: { range: 'bytes=999999999-' } }],
    ['removeBackup', 'DELETE', `${things}/backups/none`],
    ['restoreCollection', 'POST', `${things}/restore`, { backup: 'one' }],
    ['restoreCollection', 'POST', '/v1/collections/again/restore', { backup: 'none' }],
    ['restoreCollection', 'POST', '/v1/collections/again/restore', Buffer.from('no backup'), sqlite],
    [
      'restoreCollection',
      'POST',
      `/v1/collections/again/restore?sha256=${'0'.repeat(64)}`,
      Buffer.from('no backup'),
      sqlite
    ],
    ['exportEmbeddings', 'GET', `${things}/export/image.npy`, undefined, { headers: { 'if-match': '"no"' } }],
    ['exportRecords', 'GET', '/v1/collections/none/export'],
    ['reindexCollection', 'POST', '/v1/collections/own/reindex', {}],
    ['reindexCollection', 'POST', `${things}/reindex`, { model: 'none' }],
    ['getJob', 'GET', `/v1/jobs/${EXAMPLE_JOB}`],
    ['cancelJob', 'DELETE', `/v1/jobs/${EXAMPLE_JOB}`],
    ['followJob', 'GET', `/v1/jobs/${EXAMPLE_JOB}/events`],
    ['startEvaluation', 'POST', '/v1/evaluations', { dataset: { folder: 'none' } }],
    ['startEvaluation', 'POST', '/v1/evaluations', { dataset: { collection: 'none' } }],
    ['startEvaluation', 'POST', '/v1/evaluations', { dataset: { collection: 'own' } }],
    ['startEvaluation', 'POST', '/v1/evaluations', { dataset: { collection: 'things' }, against: 'clip' }],
    ['getEvaluation', 'GET', `/v1/evaluations/${EXAMPLE_JOB}`],
    ['getEvaluationReport', 'GET', `/v1/evaluations/${EXAMPLE_JOB}/report`],
    ['deleteEvaluation', 'DELETE', `/v1/evaluations/${EXAMPLE_JOB}`],
    ['listJobs', 'GET', '/v1/jobs', undefined, { headers: { origin: 'https://elsewhere.example' } }]
  ]
  const seen = new Set<string>()
  for (const [operationId, method, path, sent, init] of faulty) {
    const { status, body: answer } = await api(method, path, sent, init)
    const { operation } = operations.find((each) => each.operation.operationId === operationId)!
    t.ok(
      documentedCodes(operation.responses).some(([at, code]) => at === status && code === answer.error?.code),
      `${operationId} answers ${status} ${answer.error?.code}`
    )
    seen.add(answer.error?.code)
  }
  t.ok(seen.size >= 25, `${seen.size} codes`)

  const { body: mixed } = await api('POST', `${things}/records`, {
    records: [
      { id: '.', text: 'x' },
      { id: 'c', image: { base64: 'AAAA' } },
      { id: 'd', embeddings: { image: [1] } },
      { id: 'e', text: 'x'.repeat(9000) }
    ]
  })
  const inner = operations.find(({ operation }) => operation.operationId === 'upsertRecords')!.operation[
    'x-inner-errors'
  ]!
  for (const { error } of mixed.results) t.ok(inner.includes(error?.code), `within an answer: ${error?.code}`)
})
