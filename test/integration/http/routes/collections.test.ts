import t from 'tap'
import { testServer } from '../../../fixtures/server.js'

t.test('collections over HTTP', async (t) => {
  const { api } = await testServer(t)

  t.test('create, again, show, list, drop', async (t) => {
    const created = await api('PUT', '/v1/collections/things')
    t.match(created, {
      status: 201,
      body: {
        name: 'things',
        records: 0,
        images: 0,
        texts: 0,
        dimension: 256,
        model: 'mini',
        fingerprint: /^[0-9a-f]{64}$/,
        hnsw: { m: 16, ef_construction: 200, ef_search: 128 },
        storage: 'original',
        bytes: 0
      }
    })
    t.match(await api('PUT', '/v1/collections/things', {}), { status: 200 })
    t.match(
      await api('PUT', '/v1/collections/things', { model: 'mini', storage: 'none', hnsw: { ef_search: 64 } }),
      { status: 200, body: { storage: 'none', hnsw: { ef_search: 64 } } }
    )
    t.match(
      await api('PUT', '/v1/collections/things'),
      { status: 200, body: { storage: 'none', hnsw: { ef_search: 64 } } },
      'what is not named stays'
    )
    t.match(await api('GET', '/v1/collections/things'), { status: 200, body: { name: 'things' } })
    t.match(await api('GET', '/v1/collections'), { status: 200, body: { collections: [{ name: 'things' }] } })
    t.match(await api('DELETE', '/v1/collections/things'), { status: 204, body: '' })
    t.match(await api('DELETE', '/v1/collections/things'), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
  })

  t.test('what cannot be had is rejected with the reason', async (t) => {
    await api('PUT', '/v1/collections/fixed')
    const refused = async (path: string, body: unknown, expected: object) =>
      t.match(await api('PUT', path, body), expected, JSON.stringify(body))
    await refused(
      '/v1/collections/fixed',
      { hnsw: { m: 32 } },
      { status: 409, body: { error: { code: 'COLLECTION_CONFLICT', message: /m 16.*32/ } } }
    )
    await refused(
      '/v1/collections/other',
      { model: 'clip' },
      { status: 404, body: { error: { code: 'MODEL_NOT_FOUND', message: /mini/ } } }
    )
    await refused(
      '/v1/collections/other',
      { hnsw: { m: 1 } },
      { status: 400, body: { error: { code: 'INVALID_REQUEST', message: /hnsw\.m/ } } }
    )
    await refused('/v1/collections/other', { hnsw: { m: '16' } }, { status: 400 })
    await refused('/v1/collections/other', { hsnw: {} }, { status: 400 })
    await refused('/v1/collections/other', { storage: 'all' }, { status: 400 })
    for (const name of ['Upper', '-dash', 'a'.repeat(65), 'sp%20ace', 'd%C3%B6t', 'a.b'])
      await refused(
        `/v1/collections/${name}`,
        {},
        { status: 400, body: { error: { code: 'INVALID_REQUEST' } } }
      )
    t.match(await api('GET', '/v1/collections'), { body: { collections: [{ name: 'fixed' }] } })
    t.match(await api('GET', '/v1/collections/nowhere'), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND', message: /nowhere/, request_id: /./ } }
    })
  })
})
