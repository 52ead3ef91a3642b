import t from 'tap'
import { connectTo } from '../../../src/cli/connect.js'
import { createClient } from '../../../src/client/client.js'

t.test('an address may end with slashes or /v1, and have the path of a proxy', async (t) => {
  const addresses = {
    'http://host:8080': '',
    'http://host:8080//': '',
    'http://host:8080/v1': '',
    'http://host:8080/v1/': '',
    'http://host:8080/search/': '/search',
    'http://host:8080/search/v1//': '/search',
    'http://host:8080/v10': '/v10'
  }
  for (const [url, path] of Object.entries(addresses)) {
    const asked: string[] = []
    const fetch = (async (request: Request) => {
      asked.push(request.url)
      const isBulk = request.url.includes('/bulk')
      return new Response(isBulk ? '{"line":1,"id":"a","status":"created"}\n' : '{"collections":[]}', {
        headers: { 'content-type': 'application/json' }
      })
    }) as typeof globalThis.fetch
    const client = createClient({ url, fetch })
    await client.get('/v1/collections')
    for await (const answer of client.bulk('pets', [{ id: 'a', text: 'a' }]))
      t.equal(answer.status, 'created')
    t.same(
      asked,
      [
        `http://host:8080${path}/v1/collections`,
        `http://host:8080${path}/v1/collections/pets/records/bulk?from_line=1`
      ],
      url
    )
    const service = connectTo({ url })
    t.equal(service.url, `http://host:8080${path}`)
    await service.close()
  }
})

t.test('an address whose parts would be ignored is rejected', async (t) => {
  t.throws(() => connectTo({ url: 'localhost:8080' }), /is not an http or https URL/)
  t.throws(() => connectTo({ url: 'http://user:secret@host' }), {
    message: /^(?!.*secret).*a user name or a password/
  })
  t.throws(() => connectTo({ url: 'http://host/?key=1' }), /contains a '\?' or a '#'/)
})
