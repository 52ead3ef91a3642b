import { createHash } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { answers, fillCollection, listing } from '../../../fixtures/mixed-collection.js'
import { testServer } from '../../../fixtures/server.js'

const TYPE = { headers: { 'content-type': 'application/vnd.sqlite3' } }
const bytesOf = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init)
  return {
    status: response.status,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer())
  }
}

t.test('a backup restored on a second instance answers searches alike', async (t) => {
  const folder = t.testdir({ first: {}, second: {} })
  const first = await testServer(t, { DATA_DIR: join(folder, 'first') })
  const second = await testServer(t, { DATA_DIR: join(folder, 'second') })
  await fillCollection(first.api, 'things')
  // Another collection before it, so that keys and labels differ on both sides.
  await second.api('PUT', '/v1/collections/other')
  await second.api('POST', '/v1/collections/other/records', {
    records: [
      { id: 'r1', text: 'another' },
      { id: 'r2', text: 'one' }
    ]
  })
  const before = (await first.api('GET', '/v1/collections/things')).body

  const made = await first.api('POST', '/v1/collections/things/backups')
  t.match(made, {
    status: 201,
    body: {
      name: /^20\d\d-\d\d-\d\dt[\d-]+z$/,
      collection: 'things',
      records: before.records,
      lost_images: 0,
      model: 'mini',
      fingerprint: before.fingerprint,
      dimension: 256,
      format: 1
    }
  })
  t.equal(made.headers.get('location'), `/v1/collections/things/backups/${made.body.name}`)
  const file = await bytesOf(`${first.url}/v1/collections/things/backups/${made.body.name}`)
  t.equal(file.status, 200)
  t.equal(file.body.length, made.body.bytes)
  t.equal(createHash('sha256').update(file.body).digest('hex'), made.body.sha256)

  const restored = await second.api(
    'POST',
    `/v1/collections/things/restore?sha256=${made.body.sha256}`,
    file.body,
    TYPE
  )
  t.same(restored, { ...restored, status: 200, body: before }, 'counts, settings, bytes and age are the same')
  t.same(await answers(second.api, 'things'), await answers(first.api, 'things'))
  t.same(await listing(second.api, 'things'), await listing(first.api, 'things'))
  for (const id of ['r3', 'a/b#c.d', 'ünï 🥕', 'r5']) {
    const path = `/v1/collections/things/records/${encodeURIComponent(id)}/image`
    const [here, there] = [await bytesOf(first.url + path), await bytesOf(second.url + path)]
    t.equal(here.status, 200)
    t.ok(here.body.equals(there.body), id)
    t.equal(here.headers.get('content-type'), there.headers.get('content-type'))
  }
  t.same(
    (await second.api('GET', '/v1/collections')).body.collections.map(({ name }: { name: string }) => name),
    ['other', 'things']
  )
  t.match(
    await second.api('POST', '/v1/collections/things/records', {
      records: [
        { id: 'r3', text: 'changed' },
        { id: 'new', text: 'new' }
      ]
    }),
    { body: { results: [{ status: 'updated' }, { status: 'created' }] } },
    'and it takes records'
  )
  t.same(await readdir(join(folder, 'second', 'backups', '.uploads')), [], 'the upload is gone')

  await second.close()
  const again = await testServer(t, { DATA_DIR: join(folder, 'second') })
  await again.api('POST', '/v1/collections/things/restore?replace=true', file.body, TYPE)
  await again.close()
  const third = await testServer(t, { DATA_DIR: join(folder, 'second') })
  t.same(await answers(third.api, 'things'), await answers(first.api, 'things'), 'after a restart too')
  t.same(
    (await readdir(join(folder, 'second', 'images'))).length,
    new Set(await readdir(join(folder, 'first', 'images'))).size,
    'no image of what was replaced stays'
  )
})

t.test('a backup is of one moment while writes continue, and its images are held', async (t) => {
  const { api, close } = await testServer(t, { DATA_DIR: t.testdir() })
  await api('PUT', '/v1/collections/things', { model: null, dimension: 4 })
  const set = (n: number) =>
    Array.from({ length: 250 }, (_, i) => ({
      id: `r${i}`,
      metadata: { version: n },
      embeddings: { image: [1, n + 1, i, 1] }
    }))
  let version = 0
  let writing = true
  const writer = (async () => {
    // One transaction: each backup sees one version, whole.
    for (; writing; version++) await api('POST', '/v1/collections/things/records', { records: set(version) })
  })()
  for (let waited = 0; version < 2 && waited < 10_000; waited += 10) await sleep(10)
  const versions = new Set<number>()
  for (let n = 0; n < 4; n++) {
    const from = version
    const made = await api('POST', '/v1/collections/things/backups', { name: `b${n}` })
    t.match(made, { status: 201, body: { records: 250, embeddings: 250 } })
    const { status, body } = await api('POST', `/v1/collections/copy${n}/restore`, {
      backup: `b${n}`,
      from: 'things'
    })
    t.equal(status, 200, JSON.stringify(body))
    const seen = new Set(
      (await listing(api, `copy${n}`)).map(({ metadata }) => (metadata as { version: number }).version)
    )
    t.equal(seen.size, 1, 'one version')
    t.ok([...seen][0] >= from - 1, 'a present one')
    versions.add([...seen][0])
  }
  writing = false
  await writer
  t.ok(versions.size > 1, 'writes went on')
  // Before its folder goes: it saves graphs of which much has changed.
  await close()
})

t.test(
  'backups are named, listed, fetched from any byte on, and removed; they outlive their collection',
  async (t) => {
    const dataDir = t.testdir()
    const { api, url } = await testServer(t, { DATA_DIR: dataDir })
    t.match(await api('GET', '/v1/collections/things/backups'), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
    t.match(await api('POST', '/v1/collections/things/backups'), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
    await fillCollection(api, 'things')
    t.same((await api('GET', '/v1/collections/things/backups')).body, { backups: [] })
    const one = (await api('POST', '/v1/collections/things/backups', { name: 'one' })).body
    t.match(await api('POST', '/v1/collections/things/backups', { name: 'one' }), {
      status: 409,
      body: { error: { code: 'BACKUP_EXISTS' } }
    })
    for (const name of ['../one', 'One', '', '.hidden', 'a.b', 'x'.repeat(65)])
      t.match(await api('POST', '/v1/collections/things/backups', { name }), { status: 400 }, name)
    const two = (await api('POST', '/v1/collections/things/backups', { name: 'two' })).body
    t.same((await api('GET', '/v1/collections/things/backups')).body, { backups: [two, one] })
    t.same((await readdir(join(dataDir, 'backups', 'things'))).sort(), [
      'one.json',
      'one.sqlite',
      'two.json',
      'two.sqlite'
    ])

    const path = `${url}/v1/collections/things/backups/one`
    const whole = await bytesOf(path)
    const etag = `"${one.sha256}"`
    t.same(
      Object.fromEntries(
        [
          'etag',
          'repr-digest',
          'accept-ranges',
          'content-length',
          'content-type',
          'content-disposition',
          'cache-control'
        ].map((name) => [name, whole.headers.get(name)])
      ),
      {
        etag,
        'repr-digest': `sha-256=:${Buffer.from(one.sha256, 'hex').toString('base64')}:`,
        'accept-ranges': 'bytes',
        'content-length': String(one.bytes),
        'content-type': 'application/vnd.sqlite3',
        'content-disposition': 'attachment; filename="things-one.sqlite"',
        'cache-control': 'private, no-store'
      }
    )
    for (const headers of [{ range: 'bytes=5000-' }, { range: 'bytes=5000-', 'if-range': etag }] as Record<
      string,
      string
    >[]) {
      const rest = await bytesOf(path, { headers })
      t.match(rest, { status: 206 })
      t.equal(rest.headers.get('content-range'), `bytes 5000-${one.bytes - 1}/${one.bytes}`)
      t.ok(Buffer.concat([whole.body.subarray(0, 5000), rest.body]).equals(whole.body))
    }
    const other = await bytesOf(path, { headers: { range: 'bytes=5000-', 'if-range': `"${two.sha256}"` } })
    t.equal(other.status, 200, 'a range of another file is none of this one')
    t.ok(other.body.equals(whole.body))
    const beyond = await api('GET', '/v1/collections/things/backups/one', undefined, {
      headers: { range: `bytes=${one.bytes}-` }
    })
    t.match(beyond, { status: 416, body: { error: { code: 'RANGE_NOT_SATISFIABLE' } } })
    t.equal(beyond.headers.get('content-range'), `bytes */${one.bytes}`)
    const head = await bytesOf(path, { method: 'HEAD' })
    t.match(head, { status: 200 })
    t.equal(head.headers.get('content-length'), String(one.bytes))
    t.match(await api('GET', '/v1/collections/things/backups/three'), {
      status: 404,
      body: { error: { code: 'BACKUP_NOT_FOUND' } }
    })

    await api('DELETE', '/v1/collections/things')
    t.same((await api('GET', '/v1/collections/things/backups')).body.backups.length, 2)
    t.match(await api('POST', '/v1/collections/things/restore', { backup: 'one' }), {
      status: 200,
      body: { records: one.records }
    })
    t.match(await api('DELETE', '/v1/collections/things/backups/one'), { status: 204 })
    t.match(await api('DELETE', '/v1/collections/things/backups/one'), { status: 404 })
    t.match(await api('POST', '/v1/collections/again/restore', { backup: 'one', from: 'things' }), {
      status: 404,
      body: { error: { code: 'BACKUP_NOT_FOUND' } }
    })
  }
)

t.test('an existing collection is replaced only if that is asked for, in one moment', async (t) => {
  const { api } = await testServer(t, { DATA_DIR: t.testdir() })
  await api('PUT', '/v1/collections/things', { model: null, dimension: 2 })
  const records = (kind: string) =>
    Array.from({ length: 200 }, (_, i) => ({ id: `${kind}${i}`, embeddings: { image: [1, i] } }))
  await api('POST', '/v1/collections/things/records', { records: records('old') })
  await api('POST', '/v1/collections/things/backups', { name: 'b' })
  await api('DELETE', '/v1/collections/things')
  await api('PUT', '/v1/collections/things', { model: null, dimension: 3 })
  await api('POST', '/v1/collections/things/records', {
    records: [{ id: 'new', embeddings: { image: [1, 1, 1] } }]
  })
  t.match(await api('POST', '/v1/collections/things/restore', { backup: 'b' }), {
    status: 409,
    body: { error: { code: 'COLLECTION_EXISTS', message: /replace=true/ } }
  })

  const seen = new Set<number>()
  let watching = true
  const watch = (async () => {
    while (watching) {
      const { status, body } = await api('GET', '/v1/collections/things')
      seen.add(status === 200 ? body.records : -status)
    }
  })()
  t.match(await api('POST', '/v1/collections/things/restore?replace=true', { backup: 'b' }), {
    status: 200,
    body: { records: 200, dimension: 2 }
  })
  watching = false
  await watch
  t.strictSame(
    [...seen].filter((count) => count !== 1 && count !== 200),
    [],
    'the old or the new, nothing between'
  )
  t.match(await api('GET', '/v1/collections/things/records/new'), { status: 404 })
  t.match(
    await api('POST', '/v1/collections/things/search', {
      query: { embedding: [1, 1] },
      limit: 1,
      exact: true
    }),
    { body: { matches: [{ id: 'old1' }] } }
  )
})

t.test('what is wrong with a call is said, and leaves nothing', async (t) => {
  const dataDir = t.testdir()
  const { api, url } = await testServer(t, { DATA_DIR: dataDir })
  await fillCollection(api, 'things')
  await api('POST', '/v1/collections/things/backups', { name: 'b' })
  const file = await readFile(join(dataDir, 'backups', 'things', 'b.sqlite'))
  t.match(await api('POST', `/v1/collections/copy/restore?sha256=${'0'.repeat(64)}`, file, TYPE), {
    status: 422,
    body: { error: { code: 'CHECKSUM_DIFFERS' } }
  })
  t.match(await api('POST', '/v1/collections/copy/restore?sha256=abc', file, TYPE), { status: 400 })
  t.match(
    await api('POST', `/v1/collections/copy/restore?sha256=${'0'.repeat(64)}`, {
      backup: 'b',
      from: 'things'
    }),
    { status: 400 }
  )
  t.match(
    await api('POST', '/v1/collections/copy/restore', file, {
      headers: { 'content-type': 'application/octet-stream' }
    }),
    { status: 415 }
  )
  t.match(await api('POST', '/v1/collections/copy/restore'), { status: 400 })
  t.match(await api('POST', '/v1/collections/copy/restore', {}), { status: 400 })
  t.match(await api('POST', '/v1/collections/COPY/restore', file, TYPE), { status: 400 })
  t.match(
    await api('POST', '/v1/collections/things/records', file, TYPE),
    { status: 415 },
    'other routes take no such bodies'
  )

  // A client that goes away in the middle of its upload.
  const { port } = new URL(url)
  const upload = request({
    port,
    method: 'POST',
    path: '/v1/collections/copy/restore',
    headers: { ...TYPE.headers, 'content-length': file.length }
  })
  upload.on('error', () => undefined)
  upload.write(file.subarray(0, 100_000))
  const uploads = join(dataDir, 'backups', '.uploads')
  const waitFor = async (count: number) => {
    for (let waited = 0; waited < 10_000; waited += 20) {
      const names = await readdir(uploads).catch(() => [])
      if (names.length === count) return true
      await sleep(20)
    }
    return false
  }
  t.ok(await waitFor(1), 'the upload lies aside')
  upload.destroy()
  t.ok(await waitFor(0), 'and is gone with its client')
  t.match(await api('GET', '/v1/collections/copy'), { status: 404 })
})

t.test('an image that is lost is told of, and the rest is saved', async (t) => {
  const dataDir = t.testdir()
  const { api } = await testServer(t, { DATA_DIR: dataDir })
  await fillCollection(api, 'things')
  const [gone, torn] = await readdir(join(dataDir, 'images'))
  await rm(join(dataDir, 'images', gone))
  await writeFile(join(dataDir, 'images', torn), 'no picture')
  const before = (await api('GET', '/v1/collections/things')).body
  t.match(await api('POST', '/v1/collections/things/backups', { name: 'b' }), {
    status: 201,
    body: { records: before.records, lost_images: 2 }
  })
  t.match(
    await api('POST', '/v1/collections/copy/restore', { backup: 'b', from: 'things' }),
    { status: 200, body: { records: before.records, images: before.images, texts: before.texts } },
    'with all embeddings'
  )
})

t.test('what a crash left of a backup and of an upload is gone after a start', async (t) => {
  const dataDir = t.testdir({
    backups: {
      '.uploads': { 'x.sqlite': 'half' },
      things: { 'b.sqlite.partial': 'half', 'c.json.partial': '{', 'd.json': '{}' }
    }
  })
  const { api } = await testServer(t, { DATA_DIR: dataDir })
  t.same(await readdir(join(dataDir, 'backups')), ['things'])
  t.same(await readdir(join(dataDir, 'backups', 'things')), ['d.json'])
  t.match(await api('GET', '/v1/collections/things/backups'), {
    status: 404,
    body: { error: { code: 'COLLECTION_NOT_FOUND' } }
  })
})

t.test('keys that may read or write see which backups there are, and get none of their bytes', async (t) => {
  const [reader, writer, owner] = ['read-key-0123456789', 'write-key-0123456789', 'admin-key-0123456789']
  const { api } = await testServer(t, { API_KEYS: `read:${reader},write:${writer},admin:${owner}` })
  const as = (key: string) => (method: string, path: string, body?: unknown) =>
    api(method, path, body, { headers: { authorization: `Bearer ${key}` } })
  await as(owner)('PUT', '/v1/collections/things')
  t.match(await as(owner)('POST', '/v1/collections/things/backups', { name: 'b' }), { status: 201 })
  t.match(await as(reader)('GET', '/v1/collections/things/backups'), {
    status: 200,
    body: { backups: [{ name: 'b' }] }
  })
  const calls = [
    ['POST', 'backups'],
    ['GET', 'backups/b'],
    ['HEAD', 'backups/b'],
    ['DELETE', 'backups/b'],
    ['POST', 'restore?replace=true'],
    ['GET', 'export'],
    ['GET', 'export/image.npy'],
    ['HEAD', 'export/image.npy']
  ]
  for (const key of [reader, writer]) {
    for (const [method, path] of calls)
      t.match(
        await as(key)(
          method,
          `/v1/collections/things/${path}`,
          method === 'POST' ? { backup: 'b' } : undefined
        ),
        { status: 403 },
        `${method} ${path}`
      )
  }
})
