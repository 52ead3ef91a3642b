import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { digestOf } from '../../../src/access/api-key.js'
import { captionedFolder, colourRecords, evaluated } from '../../fixtures/evaluations.js'
import { testServer } from '../../fixtures/server.js'

const KEYS = {
  admin: 'admin-of-everything-0',
  writer: 'writer-of-everything',
  reader: 'reader-of-everything',
  tenant: 'admin-of-tenant-a-00',
  tenantReader: 'reader-of-tenant-a-0'
}
const as = (key: keyof typeof KEYS) => ({ headers: { authorization: `Bearer ${KEYS[key]}` } })
const sha256 = (key: keyof typeof KEYS) => digestOf(KEYS[key]).toString('hex')

t.test('who may evaluate what, and see it', async (t) => {
  const folder = t.testdir({ datasets: {}, data: {} })
  await captionedFolder(join(folder, 'datasets', 'colours'))
  const keys = [
    { name: 'admin', scope: 'admin', sha256: sha256('admin') },
    { name: 'writer', scope: 'write', sha256: sha256('writer') },
    { name: 'reader', scope: 'read', sha256: sha256('reader') },
    { name: 'tenant', scope: 'admin', sha256: sha256('tenant'), collections: ['tenant-a-*'] },
    { name: 'tenant-reader', scope: 'read', sha256: sha256('tenantReader'), collections: ['tenant-a-*'] }
  ]
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys }), { mode: 0o600 })
  const { api } = await testServer(t, {
    API_KEYS_FILE: join(folder, 'keys.json'),
    DATASETS_DIR: join(folder, 'datasets'),
    DATA_DIR: join(folder, 'data')
  })
  const records = await colourRecords(4)
  for (const name of ['tenant-a-walls', 'walls']) {
    await api('PUT', `/v1/collections/${name}`, {}, as('admin'))
    await api('POST', `/v1/collections/${name}/records`, { records }, as('admin'))
  }
  const start = (key: keyof typeof KEYS, dataset: object) =>
    api('POST', '/v1/evaluations', { dataset, tasks: ['retrieval'], resamples: 100 }, as(key))
  const byFolder = { folder: 'colours' }
  t.match(await api('POST', '/v1/evaluations', { dataset: byFolder }), { status: 401 })
  for (const key of ['reader', 'tenantReader'] as const)
    t.match(await start(key, { collection: 'tenant-a-walls' }), {
      status: 403,
      body: { error: { code: 'FORBIDDEN', message: /needs the scope write/ } }
    })
  t.match(await start('writer', byFolder), {
    status: 403,
    body: { error: { code: 'FORBIDDEN', message: /needs the scope admin/ } }
  })
  t.match(
    await start('tenant', byFolder),
    { status: 403, body: { error: { code: 'COLLECTION_FORBIDDEN' } } },
    'a folder is of no collection'
  )
  for (const collection of ['walls', 'nowhere'])
    t.match(
      await start('tenant', { collection }),
      { status: 403, body: { error: { code: 'COLLECTION_FORBIDDEN' } } },
      'whether it exists is not told'
    )

  const ofFolder = (await start('admin', byFolder)).body.id
  const ofAll = (await start('writer', { collection: 'walls' })).body.id
  const own = (await start('tenant', { collection: 'tenant-a-walls' })).body.id
  for (const id of [ofFolder, ofAll, own])
    t.match(await evaluated(api, id, as('reader')), { state: 'done', error: null })
  const seen = async (key: keyof typeof KEYS, path: string, list: string) =>
    (await api('GET', path, undefined, as(key))).body[list].map(({ id }: { id: string }) => id)
  for (const [path, list] of [
    ['/v1/evaluations', 'evaluations'],
    ['/v1/jobs', 'jobs']
  ]) {
    t.same(await seen('tenantReader', path, list), [own])
    t.same(await seen('reader', path, list), [own, ofAll, ofFolder])
  }
  for (const id of [ofFolder, ofAll]) {
    for (const rest of ['', '/report'])
      t.match(await api('GET', `/v1/evaluations/${id}${rest}`, undefined, as('tenant')), {
        status: 404,
        body: { error: { code: 'EVALUATION_NOT_FOUND' } }
      })
    t.match(await api('DELETE', `/v1/evaluations/${id}`, undefined, as('tenant')), { status: 404 })
    t.match(await api('GET', `/v1/jobs/${id}/events`, undefined, as('tenant')), {
      status: 404,
      body: { error: { code: 'JOB_NOT_FOUND' } }
    })
  }
  t.match(await api('DELETE', `/v1/evaluations/${ofFolder}`, undefined, as('writer')), {
    status: 403,
    body: { error: { code: 'FORBIDDEN' } }
  })
  t.match(await api('DELETE', `/v1/evaluations/${own}`, undefined, as('tenantReader')), { status: 403 })
  t.match(await api('DELETE', `/v1/evaluations/${own}`, undefined, as('tenant')), { status: 204 })
  t.match(await api('DELETE', `/v1/evaluations/${ofFolder}`, undefined, as('admin')), { status: 204 })
})
