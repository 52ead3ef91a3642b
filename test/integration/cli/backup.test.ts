import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { closedPort } from '../../fixtures/command.js'
import { answers, fillCollection } from '../../fixtures/mixed-collection.js'
import { testServer } from '../../fixtures/server.js'

/** A way to a service that cuts each download of a backup off after so many bytes. */
async function unreliable(
  t: Test,
  target: string,
  { after, spoil = false }: { after: number; spoil?: boolean }
): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = []
  const server = createServer((incoming, outgoing) => {
    const upstream = httpRequest(
      target + incoming.url,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        if (incoming.method !== 'GET') return void answer.pipe(outgoing)
        ranges.push(incoming.headers.range)
        let sent = 0
        answer.on('data', (chunk: Buffer) => {
          if (spoil) return void outgoing.write(chunk.map((byte) => byte ^ 1))
          outgoing.write(chunk.subarray(0, Math.max(0, after - sent)))
          sent += chunk.length
          if (sent > after) setTimeout(() => outgoing.destroy(), 30)
        })
        answer.on('end', () => sent <= after && outgoing.end())
      }
    )
    incoming.pipe(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ranges }
}

const key = 'write-key-0123456789'
const services = t.testdir({ first: {}, second: {} })
const first = await testServer(t, { DATA_DIR: join(services, 'first'), API_KEYS: `admin:${key}` })
const second = await testServer(t, { DATA_DIR: join(services, 'second') })
const api: typeof first.api = (method, path, body, init = {}) =>
  first.api(method, path, body, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } })
await fillCollection(api, 'things')

t.test('backup, restore and export over the command line, with a key', async (t) => {
  const folder = t.testdir({ files: {} })
  const file = join(folder, 'files', 'things.sqlite')
  const here = { SEMBLANCE_URL: first.url, SEMBLANCE_API_KEY: key }

  t.match(await callCommand(['backup', 'things', '-o', file], { SEMBLANCE_URL: first.url }), {
    code: 1,
    stdout: '',
    stderr: /^semblance: UNAUTHORIZED: /
  })
  const made = await callCommand(['backup', 'things', '-o', file], here)
  t.match(made, {
    code: 0,
    stdout: /^Wrote a backup of things to .*things\.sqlite: \d+ records, .*SHA-256 [0-9a-f]{64}\.\n$/
  })
  t.match(
    made.stdout,
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
  )
  t.same((await api('GET', '/v1/collections/things/backups')).body.backups, [], 'none is left at the service')
  t.match(await callCommand(['backup', 'things', '--name', 'kept'], here), {
    code: 0,
    stdout: /^Made the backup kept of things/
  })
  t.match(await callCommand(['backup', 'things', '--name', 'kept'], here), {
    code: 1,
    stderr: /BACKUP_EXISTS/
  })
  t.match(await callCommand(['backup', 'nothing', '-o', join(folder, 'files', 'x')], here), {
    code: 1,
    stderr: /COLLECTION_NOT_FOUND/
  })

  t.match(await callCommand(['restore', file, '--url', second.url]), {
    code: 0,
    stdout: /^Restored things: \d+ records\.\n$/
  })
  t.same(await answers(second.api, 'things'), await answers(api, 'things'))
  t.match(await callCommand(['restore', file, '--url', second.url]), {
    code: 1,
    stdout: '',
    stderr: /COLLECTION_EXISTS/
  })
  t.match(await callCommand(['restore', file, '--url', second.url, '--replace']), { code: 0 })
  t.match(await callCommand(['restore', file, '--url', second.url, '--collection', 'copy']), {
    code: 0,
    stdout: /^Restored copy/
  })
  await writeFile(join(folder, 'files', 'text'), 'no backup')
  t.match(await callCommand(['restore', join(folder, 'files', 'text'), '--url', second.url]), {
    code: 1,
    stderr: /not an SQLite database/
  })
  t.match(await callCommand(['restore', join(folder, 'files', 'none'), '--url', second.url]), {
    code: 1,
    stderr: /ENOENT/
  })

  const exported = await callCommand(['export', 'things', '--embeddings', '--no-images'], here)
  t.equal(exported.code, 0)
  t.equal(exported.stdout, (await api('GET', '/v1/collections/things/export?embeddings=true')).body)
  t.match(
    await callCommand(['export', 'things', '--images', '-o', join(folder, 'files', 'things.ndjson')], here),
    { code: 0 }
  )
  t.equal(
    await readFile(join(folder, 'files', 'things.ndjson'), 'utf8'),
    (await api('GET', '/v1/collections/things/export?images=true')).body
  )
  t.match(
    await callCommand(['export', 'things', '--format', 'npy', '-o', join(folder, 'files', 'arrays')], here),
    { code: 0 }
  )
  t.same((await readdir(join(folder, 'files'))).sort(), [
    'arrays-image.ids',
    'arrays-image.npy',
    'arrays-text.ids',
    'arrays-text.npy',
    'text',
    'things.ndjson',
    'things.sqlite'
  ])
  t.equal(
    await readFile(join(folder, 'files', 'arrays-text.ids'), 'utf8'),
    (await api('GET', '/v1/collections/things/export/text.ids')).body
  )

  t.match(await callCommand(['backup', 'things', '--url', `http://127.0.0.1:${await closedPort()}`]), {
    code: 69,
    stderr: /can't be reached \(ECONNREFUSED\)/
  })
  t.match(await callCommand(['backup', 'things', '--url', 'nowhere']), {
    code: 2,
    stderr: /not an http or https URL/
  })
  for (const command of ['backup', 'restore', 'export'])
    t.match(await callCommand([command, '--help']), {
      code: 0,
      stdout: new RegExp(`Examples:\\n {2}\\$ semblance ${command} `)
    })
})

t.test('a download that is cut off continues where it was; one that is spoiled is rejected', async (t) => {
  const folder = t.testdir({ files: {} })
  const file = join(folder, 'files', 'things.sqlite')
  const proxy = await unreliable(t, second.url, { after: 150_000 })
  const { code, stdout, stderr } = await callCommand([
    'backup',
    'things',
    '-o',
    file,
    '--name',
    'b',
    '--keep',
    '--url',
    proxy.url
  ])
  t.equal(code, 0, stderr)
  t.ok(
    proxy.ranges.length > 1 && proxy.ranges[0] === undefined && /^bytes=\d+-$/.test(proxy.ranges[1]!),
    `ranges ${proxy.ranges}`
  )
  t.match(
    stdout,
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
  )
  t.ok(
    (await readFile(file)).equals(await readFile(join(services, 'second', 'backups', 'things', 'b.sqlite')))
  )

  const spoiler = await unreliable(t, second.url, { after: 0, spoil: true })
  t.match(await callCommand(['backup', 'things', '-o', `${file}.2`, '--url', spoiler.url]), {
    code: 1,
    stdout: '',
    stderr: /something between this machine and the service changes it/
  })
  t.same(await readdir(join(folder, 'files')), ['things.sqlite'], 'nothing of it stays')
  t.same(
    (await second.api('GET', '/v1/collections/things/backups')).body.backups.map(
      ({ name }: { name: string }) => name
    ),
    ['b'],
    'here or there'
  )
})
