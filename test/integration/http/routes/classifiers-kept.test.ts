import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { digestOf } from '../../../../src/access/api-key.js'
import { solid } from '../../../fixtures/images.js'
import { miniFolder } from '../../../fixtures/mini.js'
import { ownServer, testServer, type Api } from '../../../fixtures/server.js'

const image = (bytes: Buffer) => ({ base64: bytes.toString('base64') })
/** Shades of a colour, each a picture of its own. */
const shades = (colour: (shade: number) => string) =>
  Promise.all(Array.from({ length: 2 }, (_, i) => solid(colour(255 - 20 * i))))
const red = (shade: number) => `rgb(${shade}, 0, 0)`
const blue = (shade: number) => `rgb(0, 0, ${shade})`

t.test('a classifier outlives the service, and waits for its encoder', async (t) => {
  const dataDir = t.testdir()
  const examples = [
    ...(await shades(red)).map((bytes) => ({ label: 'red', image: image(bytes) })),
    ...(await shades(blue)).map((bytes) => ({ label: 'blue', image: image(bytes) }))
  ]
  const query = { image: image(await solid(red(230))) }
  const first = await testServer(t, { DATA_DIR: dataDir })
  const trained = await first.api('PUT', '/v1/classifiers/colours', { examples })
  const answer = await first.api('POST', '/v1/classifiers/colours/classify', query)
  await first.close()
  const second = await testServer(t, { DATA_DIR: dataDir })
  t.same((await second.api('GET', '/v1/classifiers')).body.classifiers, [trained.body])
  t.same(
    (await second.api('POST', '/v1/classifiers/colours/classify', query)).body,
    answer.body,
    'the same weights'
  )
  await second.close()
  const other = `${t.testdirName}-models/other`
  await cp(miniFolder, other, { recursive: true })
  await writeFile(`${other}/semblance.json`, '{"template":"{label}"}')
  t.teardown(() => rm(`${t.testdirName}-models`, { recursive: true }))
  const { api } = await testServer(t, { DATA_DIR: dataDir, MODEL: other })
  t.match(await api('POST', '/v1/classifiers/colours/classify', query), {
    status: 409,
    body: {
      error: {
        code: 'CLASSIFIER_MISMATCH',
        message: /'mini' \([0-9a-f]{12}\).*'other' \([0-9a-f]{12}\).*train the classifier again/
      }
    }
  })
  t.match(await api('GET', '/v1/classifiers/colours'), { status: 200 })
  t.match(await api('PUT', '/v1/classifiers/colours', { examples }), {
    status: 200,
    body: { model: 'other' }
  })
  t.match(await api('POST', '/v1/classifiers/colours/classify', query), { status: 200 })
})

t.test(
  'keys that reach some collections know what was made of these, and can tell nothing of the rest',
  async (t) => {
    const [ADMIN, OURS, READ, TENANT] = [
      'an-admin-key-of-the-test',
      'a-key-of-our-collections',
      'a-key-that-reads-ours-only',
      'an-admin-key-of-ours-only'
    ]
    const keys = [
      { name: 'admin', scope: 'admin', key: ADMIN },
      { name: 'ours', scope: 'write', key: OURS, collections: ['ours-*'] },
      { name: 'read', scope: 'read', key: READ, collections: ['ours-*'] },
      { name: 'tenant', scope: 'admin', key: TENANT, collections: ['ours-*'] }
    ]
    const folder = t.testdir({
      'keys.json': JSON.stringify({
        keys: keys.map(({ key, ...rest }) => ({ ...rest, sha256: digestOf(key).toString('hex') }))
      })
    })
    const { api } = await ownServer(t, {
      API_KEYS_FILE: join(folder, 'keys.json'),
      DATA_DIR: join(folder, 'data')
    })
    const as =
      (key: string): Api =>
      (method, path, body) =>
        api(method, path, body, { headers: { authorization: `Bearer ${key}` } })
    const [admin, ours, read, tenant] = [ADMIN, OURS, READ, TENANT].map(as)
    const records = ['red', 'crimson', 'blue', 'navy'].map((text, i) => ({
      id: text,
      text,
      metadata: { hue: i < 2 ? 'red' : 'blue' }
    }))
    for (const name of ['ours-1', 'theirs']) {
      await admin('PUT', `/v1/collections/${name}`)
      await admin('POST', `/v1/collections/${name}/records`, { records })
    }
    const from = (collection: string) => ({ collection, label_field: 'hue', modalities: ['text'] })
    const examples = records.map(({ text, metadata: { hue } }) => ({ label: hue, text }))
    t.match(await ours('PUT', '/v1/classifiers/a', from('ours-1')), { status: 201 })
    t.match(await ours('PUT', '/v1/classifiers/b', from('theirs')), {
      status: 403,
      body: { error: { code: 'COLLECTION_FORBIDDEN' } }
    })
    t.match(await ours('PUT', '/v1/classifiers/b', from('nowhere')), { status: 403 })
    t.match(await ours('PUT', '/v1/classifiers/b', { examples }), { status: 403 })
    t.match(await admin('PUT', '/v1/classifiers/theirs', from('theirs')), { status: 201 })
    t.match(await admin('PUT', '/v1/classifiers/everyones', { examples }), { status: 201 })
    t.match((await read('GET', '/v1/classifiers')).body.classifiers, [{ name: 'a' }])
    t.equal((await admin('GET', '/v1/classifiers')).body.classifiers.length, 3)
    t.match(await read('POST', '/v1/classifiers/a/classify', { text: 'scarlet' }), { status: 200 })
    t.match(await read('PUT', '/v1/classifiers/a', from('ours-1')), {
      status: 403,
      body: { error: { code: 'FORBIDDEN' } }
    })
    for (const name of ['theirs', 'everyones']) {
      t.match(await read('POST', `/v1/classifiers/${name}/classify`, { text: 'scarlet' }), { status: 404 })
      t.match(await ours('GET', `/v1/classifiers/${name}`), { status: 404 })
      t.match(await ours('DELETE', `/v1/classifiers/${name}`), { status: 404 })
      t.match(
        await ours('PUT', `/v1/classifiers/${name}`, from('ours-1')),
        { status: 201, body: { collection: 'ours-1' } },
        'a name that others have is told by nothing'
      )
      t.match(await ours('GET', `/v1/classifiers/${name}`), { status: 200, body: { collection: 'ours-1' } })
      t.match(await read('POST', `/v1/classifiers/${name}/classify`, { text: 'scarlet' }), { status: 200 })
    }
    t.match(
      await admin('GET', '/v1/classifiers/everyones'),
      { status: 200, body: { collection: null } },
      'the one of no collection goes first'
    )
    t.match(await admin('GET', '/v1/classifiers/everyones?collection=ours-1'), {
      status: 200,
      body: { collection: 'ours-1' }
    })
    t.match(await admin('GET', '/v1/classifiers/theirs'), {
      status: 400,
      body: {
        error: {
          code: 'INVALID_REQUEST',
          message: /collections ours-1, theirs each have .*\?collection=ours-1/
        }
      }
    })
    t.match(await admin('POST', '/v1/classifiers/theirs/classify?collection=theirs', { text: 'scarlet' }), {
      status: 200
    })
    t.match(await ours('GET', '/v1/classifiers/theirs?collection=theirs'), { status: 404 })
    t.match(await ours('DELETE', '/v1/classifiers/theirs'), { status: 204 })
    t.match(
      await admin('GET', '/v1/classifiers/theirs'),
      { status: 200, body: { collection: 'theirs' } },
      'that of others is there'
    )

    await t.test('by how long a text takes no key can tell what others asked or stored', async (t) => {
      const encodeMs = async (call: Api) =>
        (
          await call('POST', '/v1/collections/ours-1/search', {
            query: { text: 'a secret phrase' },
            target: 'text'
          })
        ).body.took_ms.encode
      t.ok((await encodeMs(admin)) > 0)
      t.equal(await encodeMs(admin), 0, 'keys that reach everything share what is kept')
      t.ok((await encodeMs(ours)) > 0)
      t.equal(await encodeMs(ours), 0, 'a key that is limited has its own')
      t.ok((await encodeMs(read)) > 0, 'and no other has it')
      await admin('POST', '/v1/collections/theirs/records', {
        records: [{ id: 's', text: 'a stored secret' }]
      })
      const stored = async (call: Api) =>
        (
          await call('POST', '/v1/collections/ours-1/search', {
            query: { text: 'a stored secret' },
            target: 'text'
          })
        ).body.took_ms.encode
      t.ok((await stored(ours)) > 0)
    })
    const retrieval = { dataset: { collection: 'ours-1' }, tasks: ['retrieval'] }
    const { id } = (await admin('POST', '/v1/evaluations', retrieval)).body
    t.match(await ours('GET', `/v1/evaluations/${id}`), { status: 200 })
    t.match(await tenant('POST', '/v1/collections/ours-1/backups', { name: 'b' }), { status: 201 })
    t.match((await tenant('GET', '/v1/collections/ours-1/backups')).body.backups, [
      { name: 'b', collection_created_at: String }
    ])
    const backup = '/v1/collections/ours-1/backups/b'
    const restored = (call: Api) =>
      call('POST', '/v1/collections/ours-2/restore', { backup: 'b', from: 'ours-1' })
    await admin('DELETE', '/v1/collections/ours-1')
    for (const path of [`collections/ours-1/backups`, 'classifiers/a', `evaluations/${id}`, `jobs/${id}`]) {
      t.match(
        await tenant('GET', `/v1/${path}`),
        { status: 404 },
        `${path} is of no collection that is there`
      )
      t.match(await admin('GET', `/v1/${path}`), { status: 200 })
    }
    t.match(await restored(tenant), { status: 404, body: { error: { code: 'BACKUP_NOT_FOUND' } } })
    await admin('PUT', '/v1/collections/ours-1')
    await admin('POST', '/v1/collections/ours-1/records', { records })
    for (const path of ['classifiers/a', `evaluations/${id}`, `jobs/${id}`]) {
      t.match(await ours('GET', `/v1/${path}`), { status: 404 }, `${path} is of another collection`)
      t.match(await admin('GET', `/v1/${path}`), { status: 200 })
    }
    t.same(
      [(await ours('GET', '/v1/classifiers')).body, (await ours('GET', '/v1/jobs')).body],
      [{ classifiers: [] }, { jobs: [] }]
    )
    t.match(await read('POST', '/v1/classifiers/a/classify', { text: 'scarlet' }), { status: 404 })
    t.match(
      await ours('PUT', '/v1/classifiers/a', from('ours-1')),
      { status: 201 },
      'its name is free for the new one'
    )
    t.match(
      await tenant('GET', '/v1/collections/ours-1/backups'),
      { status: 200, body: { backups: [] } },
      'backups are of the other one too'
    )
    for (const method of ['GET', 'DELETE'])
      t.match(await tenant(method, backup), { status: 404, body: { error: { code: 'BACKUP_NOT_FOUND' } } })
    t.match(await restored(tenant), { status: 404, body: { error: { code: 'BACKUP_NOT_FOUND' } } })
    t.match(
      await tenant('POST', '/v1/collections/ours-1/backups', { name: 'b' }),
      { status: 201 },
      'and so are their names'
    )
    t.match(await restored(tenant), { status: 200, body: { records: 4 } })
    const { backups } = (await admin('GET', '/v1/collections/ours-1/backups')).body
    t.equal(backups.length, 2)
    const [{ name: earlier }] = backups.filter(({ name }: { name: string }) => name !== 'b')
    t.match(earlier, /^b-\d+$/)
    t.match(await admin('POST', '/v1/collections/again/restore', { backup: earlier, from: 'ours-1' }), {
      status: 200,
      body: { records: 4 }
    })
    t.match(await read('POST', '/v1/classifiers/a/classify', { text: 'scarlet' }), { status: 200 })
  }
)
