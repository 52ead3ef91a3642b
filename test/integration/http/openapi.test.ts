import { readFile } from 'node:fs/promises'
import openapiTypes, { astToString, COMMENT_HEADER } from 'openapi-typescript'
import t from 'tap'
import { parse } from 'yaml'
import { openapiYaml } from '../../../src/http/docs/openapi.js'
import { examplesInOrder } from '../../fixtures/examples.js'
import { testServer } from '../../fixtures/server.js'

t.test('openapi.yaml is what the routes say (npm run openapi writes it)', async (t) => {
  t.equal(await readFile(new URL('../../../openapi.yaml', import.meta.url), 'utf8'), await openapiYaml())
})

t.test("the client's types are of the same routes (npm run openapi writes them)", async (t) => {
  const types = await openapiTypes(await openapiYaml())
  t.equal(
    await readFile(new URL('../../../src/client/api.ts', import.meta.url), 'utf8'),
    `${COMMENT_HEADER}${astToString(types)}`
  )
})

t.test(
  'the served description is the same, and complete (code-samples.test.ts runs its examples)',
  async (t) => {
    const { api } = await testServer(t)
    const { body: document } = await api('GET', '/openapi.json')
    const yaml = await api('GET', '/openapi.yaml')
    t.match(yaml.headers.get('content-type'), /^application\/yaml/)
    t.equal(yaml.body, await openapiYaml())
    t.same(document, parse(yaml.body))
    const operations = examplesInOrder(document).map(({ operation }) => operation)
    t.equal(
      new Set(operations.map(({ operationId }) => operationId)).size,
      operations.length,
      'each operation has an id of its own'
    )
    for (const { operationId, summary, tags, requestBody, 'x-scope': scope } of operations) {
      t.ok(summary && scope, operationId)
      t.ok(
        tags.length === 1 && document.tags.some(({ name }: { name: string }) => name === tags[0]),
        `${operationId} has a tag that is listed`
      )
      for (const [type, { example, schema }] of Object.entries(requestBody?.content ?? {}))
        t.ok(
          example ?? schema?.example ?? schema?.format === 'binary',
          `${operationId} has an example of ${type}`
        )
    }
  }
)
