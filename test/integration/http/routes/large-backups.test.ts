import { once } from 'node:events'
import { readdir, rm } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { testServer, type Api } from '../../../fixtures/server.js'
import { freeBytes } from '../../../../src/fs/disk-space.js'
import { fillDisk, smallDisk, unmount } from '../../../fixtures/small-disk.js'

const MIB = 2 ** 20
const PATH = '/v1/collections/copy/restore'
const TYPE = { 'content-type': 'application/vnd.sqlite3' }

/** Begins an upload with some bytes and leaves it open; resolves to the answer. */
async function begin(url: string, bytes: number, length?: number) {
  const sending = request(url + PATH, {
    method: 'POST',
    headers: { ...TYPE, ...(length !== undefined && { 'content-length': length }) }
  })
  sending.on('error', () => undefined)
  if (bytes === 0) sending.flushHeaders()
  else sending.write(Buffer.alloc(bytes))
  const [answer] = (await once(sending, 'response')) as [IncomingMessage]
  const body = JSON.parse(await text(answer))
  sending.destroy()
  return { status: answer.statusCode, connection: answer.headers.connection, body }
}

const isWell = async (api: Api) => (await api('GET', '/v1/collections')).status === 200

t.test('an upload over the limit is rejected by its length, or once it is over', async (t) => {
  const dataDir = t.testdir()
  const { api, url } = await testServer(t, { DATA_DIR: dataDir, MAX_BACKUP_MIB: '2' })
  const tooLarge = {
    status: 413,
    body: { error: { code: 'BACKUP_TOO_LARGE', message: /exceeds the limit of 2 MiB/, request_id: /./ } }
  }
  t.match(
    await begin(url, 0, 2 * MIB + 1),
    { ...tooLarge, connection: undefined },
    'before any of it came; the rest is read'
  )
  t.match(
    await begin(url, 0, 2 ** 40),
    { ...tooLarge, connection: 'close' },
    'or not, when it is far too long'
  )
  t.match(await begin(url, 2 * MIB + 1), { ...tooLarge, connection: 'close' }, 'its length was not told')
  t.same(await readdir(join(dataDir, 'backups', '.uploads')), [], 'nothing of it is left')
  t.match(
    await api('POST', PATH, Buffer.alloc(2 * MIB), { headers: TYPE }),
    { status: 422, body: { error: { code: 'BACKUP_INVALID' } } },
    'the limit itself may be sent'
  )
  t.match(
    await api('POST', PATH, { backup: 'x'.repeat(2 * MIB) }),
    { status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } },
    'what names a backup is short'
  )
  t.ok(await isWell(api))
})

t.test('an upload that would take the reserve of the disk is rejected', async (t) => {
  const dataDir = await smallDisk('512m')
  if (!dataDir) return void t.pass('a disk of its own', { skip: 'no disk may be mounted here' })
  const { api, url, close } = await testServer(t, { DATA_DIR: dataDir })
  const full = { status: 507, connection: 'close', body: { error: { code: 'STORAGE_FULL' } } }
  try {
    t.match(await begin(url, 0, (await freeBytes(dataDir)) - 10 * MIB), full, 'by its length')
    await fillDisk(dataDir, 40 * MIB)
    t.match(await begin(url, 24 * MIB), full, 'while it comes')
    t.same(await readdir(join(dataDir, 'backups', '.uploads')), [], 'nothing of it is left')
    t.ok((await freeBytes(dataDir)) > 25 * MIB, 'and the reserve is there')
    await rm(join(dataDir, 'filler'))
    t.match(
      await api('POST', PATH, Buffer.alloc(24 * MIB), { headers: TYPE }),
      { status: 422 },
      'with room it is read'
    )
    t.ok(await isWell(api))
  } finally {
    await close()
    await unmount(dataDir)
  }
})
