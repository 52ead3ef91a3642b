import { readFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'
import { openapiYaml } from '../src/openapi.js'
import { golden } from './fixtures/images.js'
import { testServer } from './fixtures/server.js'

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Document = Record<string, any>

t.test('openapi.yaml is what the routes say (npm run openapi writes it)', async (t) => {
  t.equal(await readFile(new URL('../openapi.yaml', import.meta.url), 'utf8'), await openapiYaml())
})

t.test('the served description is the same, complete, and its examples run', async (t) => {
  const { api } = await testServer(t)
  const { body: document } = await api('GET', '/openapi.json')
  t.same(document, parse(await openapiYaml()))
  await api('PUT', '/v1/collections/emoji')
  await api('POST', '/v1/collections/emoji/records', { records: [{ id: '1f355', text: 'pizza', image: { base64: (await golden('portrait.jpg')).toString('base64') } }] })
  const operations = Object.entries(document.paths as Document).flatMap(([path, methods]) =>
    Object.entries(methods as Document).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
  )
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length, 'each operation has an id of its own')
  let job = ''
  // Deletions last, so that what the others need is there.
  for (const { path, method, operation } of operations.sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE') || b.path.length - a.path.length)) {
    const url = path.replace('{id}', (id) => (path.startsWith('/v1/jobs/') ? job : id)).replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(operation.parameters.find((parameter: Document) => parameter.name === name).example))
    const media = operation.requestBody?.content['application/json']
    if (media) t.ok(media.example, `${operation.operationId} has an example`)
    const query = (operation.parameters ?? []).filter((parameter: Document) => parameter.in === 'query' && parameter.required)
    const queryString = new URLSearchParams(query.map((parameter: Document) => [parameter.name, parameter.example])).toString()
    const ndjson = operation.requestBody?.content['application/x-ndjson']
    const lines = ndjson?.example ?? ndjson?.schema.example
    const { status, body } = lines
      ? await api(method, url, lines, { headers: { 'content-type': 'application/x-ndjson' } })
      : await api(method, queryString ? `${url}?${queryString}` : url, media?.example)
    t.ok(status < 300, `${method} ${url} answers ${status}`)
    if (operation.operationId === 'reindexCollection') {
      job = body.id
      await api('GET', `/v1/jobs/${job}/events`)
    }
    t.ok(operation.summary && operation.tags?.length === 1, operation.operationId)
  }
})
