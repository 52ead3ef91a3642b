import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { digestOf } from '../../../src/access/api-key.js'
import { openAuditLog } from '../../../src/access/audit-log.js'
import { ownServer } from '../../fixtures/server.js'

const READ = 'read-key-of-some-length'
const ADMIN = 'smb_admin-key-of-some-length'
const bearer = (key: string) => ({
  headers: { authorization: `Bearer ${key}`, 'x-request-id': 'the-request' }
})

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Line = Record<string, any>
const lines = (path: string): Line[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

/** The lines once there are so many; they are written when the connection has taken the answer. */
async function linesOnce(path: string, count: number): Promise<Line[]> {
  for (let waited = 0; lines(path).length < count && waited < 20_000; waited += 20) await sleep(20)
  return lines(path)
}

t.test('every change that was asked for has a line', async (t) => {
  const folder = t.testdir({ data: {} })
  const [path, keysPath] = [join(folder, 'audit.log'), join(folder, 'keys.json')]
  const keyFile = (...names: string[]) =>
    writeFileSync(
      keysPath,
      JSON.stringify({
        keys: names.map((name) => ({
          name,
          scope: 'admin',
          sha256: digestOf(name === 'boss' ? ADMIN : name).toString('hex')
        }))
      }),
      { mode: 0o600 }
    )
  keyFile('boss')
  const { api, url, reload } = await ownServer(t, {
    API_KEYS_FILE: keysPath,
    API_KEYS: `read:${READ}`,
    AUDIT_LOG: path,
    DATA_DIR: join(folder, 'data')
  })
  let count = 0
  /** The line that a call has added. */
  const lineOf = async (...call: Parameters<typeof api>): Promise<Line> => {
    await api(...call)
    return (await linesOnce(path, ++count))[count - 1]
  }
  const things = '/v1/collections/things'
  const records = [{ id: 'a', text: 'x' }, { id: 'b', text: 'y' }, { id: 'c' }]
  const created = await lineOf('PUT', things, {}, bearer(ADMIN))
  t.ok(Date.parse(created.time))
  t.match(created.event_id, /^[0-9a-f-]{36}$/)
  t.same(
    { ...created, time: '', event_id: '' },
    {
      audit: true,
      time: '',
      event_id: '',
      request_id: 'the-request',
      key: 'boss',
      address: '127.0.0.1',
      method: 'PUT',
      route: '/v1/collections/:collection',
      operation: 'createCollection',
      collection: 'things',
      status: 201
    }
  )
  t.match(await lineOf('POST', `${things}/records`, { records }, bearer(ADMIN)), {
    operation: 'upsertRecords',
    status: 200,
    records: { created: 2, failed: 1 }
  })
  t.match(await lineOf('POST', `${things}/records`, { records: records.slice(0, 1) }, bearer(ADMIN)), {
    records: { updated: 1 }
  })
  t.match(await lineOf('PATCH', `${things}/records/a`, { metadata: { kind: 'k' } }, bearer(ADMIN)), {
    operation: 'patchRecord',
    id: 'a',
    records: { updated: 1 }
  })
  t.match(
    await lineOf(
      'POST',
      `${things}/records/bulk`,
      '{"id": "d", "text": "z"}\n{"id": "e", "text": "z"}\nnonsense\n',
      { headers: { ...bearer(ADMIN).headers, 'content-type': 'application/x-ndjson' } }
    ),
    { operation: 'bulkRecords', records: { created: 2, failed: 1 } }
  )
  t.match(await lineOf('POST', `${things}/records/delete`, { filter: { kind: 'k' } }, bearer(ADMIN)), {
    operation: 'deleteRecords',
    records: { deleted: 1 }
  })
  t.match(await lineOf('DELETE', `${things}/records/b`, undefined, bearer(ADMIN)), {
    operation: 'deleteRecord',
    status: 204,
    records: { deleted: 1 }
  })
  t.match(await lineOf('DELETE', `${things}/records/b`, undefined, bearer(ADMIN)), {
    status: 404,
    code: 'RECORD_NOT_FOUND',
    records: undefined
  })
  t.match(await lineOf('POST', `${things}/records`, { records: 1 }, bearer(ADMIN)), {
    status: 400,
    code: 'INVALID_REQUEST'
  })
  t.match(await lineOf('POST', `${things}/reindex`, {}, bearer(ADMIN)), {
    operation: 'reindexCollection',
    status: 202
  })
  t.match(await lineOf('DELETE', things, undefined, bearer(ADMIN)), {
    operation: 'dropCollection',
    status: 204
  })

  t.test('and every one that was refused, reading too', async (t) => {
    t.match(await lineOf('GET', '/v1/models'), {
      status: 401,
      code: 'UNAUTHORIZED',
      key: null,
      operation: 'listModels'
    })
    t.match(await lineOf('PUT', things, {}, bearer(READ)), {
      status: 403,
      code: 'FORBIDDEN',
      key: 'env:1',
      collection: 'things'
    })
    t.match(await lineOf('GET', '/v1/models', undefined, { headers: { origin: 'https://evil.example' } }), {
      status: 403,
      code: 'ORIGIN_NOT_ALLOWED'
    })
  })

  t.test('lines of requests that share an X-Request-Id differ by an id of the service', async (t) => {
    const ids = (await linesOnce(path, count)).map((line) => line.event_id)
    t.equal(new Set(ids).size, ids.length)
  })

  t.test('what reads has none', async (t) => {
    for (const call of [
      ['GET', '/v1/models'],
      ['POST', '/v1/embeddings', { input: 'x' }],
      ['GET', '/nowhere'],
      ['OPTIONS', '/v1/models']
    ] as const)
      await api(call[0], call[1], call[2], bearer(ADMIN))
    t.match(
      await lineOf('PUT', things, {}, bearer(ADMIN)),
      { operation: 'createCollection' },
      'the next line is of the next change'
    )
  })

  t.test('a client that leaves before the answer does not leave the line out', async (t) => {
    const call = request(`${url}${things}/records/bulk`, {
      method: 'POST',
      headers: { ...bearer(ADMIN).headers, 'content-type': 'application/x-ndjson' }
    })
    call.on('error', () => undefined)
    for (let i = 0; i < 64; i++) call.write(`{"id": "late-${i}", "text": "z"}\n`)
    const [response] = await once(call, 'response')
    await once(response, 'data')
    call.destroy()
    t.match((await linesOnce(path, ++count))[count - 1], {
      operation: 'bulkRecords',
      client_gone: true,
      records: { created: 64 }
    })
  })

  t.test('nor one that leaves while it still sends', async (t) => {
    const call = request(`${url}${things}/records`, {
      method: 'POST',
      headers: { ...bearer(ADMIN).headers, 'content-type': 'application/json', 'content-length': '1000' }
    })
    call.on('error', () => undefined)
    call.write('{"records": [')
    await once(call, 'socket')
    // What came after it is answered, so it has come in.
    for (let later = 0; later < 2; later++)
      await sleep(50)
        .then(() => fetch(`${url}/health/live`))
        .then((response) => response.text())
    call.destroy()
    t.match((await linesOnce(path, ++count))[count - 1], {
      operation: 'upsertRecords',
      client_gone: true,
      records: undefined
    })
  })

  t.test('keys that came and went have one, with their names', async (t) => {
    keyFile('boss', 'second')
    await reload()
    t.match((await linesOnce(path, ++count))[count - 1], {
      operation: 'reloadKeys',
      added: ['second'],
      removed: []
    })
    writeFileSync(keysPath, 'broken')
    await reload()
    t.match((await linesOnce(path, ++count))[count - 1], { operation: 'reloadKeys', code: 'KEYS_INVALID' })
  })

  t.test('a file that was moved away is begun again', async (t) => {
    const before = readFileSync(path, 'utf8')
    renameSync(path, `${path}.1`)
    await reload()
    await api('DELETE', things, undefined, bearer(ADMIN))
    const dropped = (await linesOnce(path, 2)).find(({ operation }) => operation === 'dropCollection')
    t.match(dropped, { status: 204 })
    t.ok(readFileSync(`${path}.1`, 'utf8').startsWith(before))
    for (const secret of [READ, ADMIN, digestOf(ADMIN).toString('hex')])
      t.notOk((readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8')).includes(secret))
  })
})

t.test('an audit log that cannot be opened is an error, one that fails later is told of', async (t) => {
  const folder = t.testdir({ file: '' })
  t.throws(() => openAuditLog(folder, () => undefined), /AUDIT_LOG can't be written to: .*EISDIR/)
  t.throws(() => openAuditLog(join(folder, 'file/audit.log'), () => undefined), /ENOTDIR/)
  const failures: Error[] = []
  const log = openAuditLog('/dev/full', (error) => failures.push(error))
  log.write({ a: 1 })
  t.match(failures, [{ code: 'ENOSPC' }])
  log.close()
  const path = join(folder, 'folder/audit.log')
  mkdirSync(join(folder, 'folder'))
  const moved = openAuditLog(path, (error) => failures.push(error))
  renameSync(join(folder, 'folder'), join(folder, 'elsewhere'))
  moved.reopen()
  t.match(failures[1], { message: /ENOENT/ })
  moved.write({ a: 2 })
  t.match(
    lines(join(folder, 'elsewhere/audit.log')),
    [{ a: 2 }],
    'what was open goes on where nothing new can be opened'
  )
  moved.close()
})
