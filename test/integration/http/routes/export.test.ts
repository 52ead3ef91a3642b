import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { fillCollection, listing } from '../../../fixtures/mixed-collection.js'
import { testServer } from '../../../fixtures/server.js'

const hasNumpy = await promisify(execFile)('/usr/bin/python3', ['-c', 'import numpy']).then(
  () => true,
  () => false
)
const NDJSON = { headers: { 'content-type': 'application/x-ndjson' } }

/**
 * A NumPy file as its format's description has it:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 */
function readNpy(bytes: Buffer): { shape: number[]; rows: Float32Array[] } {
  if (bytes.toString('latin1', 0, 8) !== '\x93NUMPY\x01\x00') throw new Error('No NumPy file of format 1.0.')
  const length = bytes.readUInt16LE(8)
  const header = bytes.toString('latin1', 10, 10 + length)
  if ((10 + length) % 64 !== 0 || !header.endsWith('\n')) throw new Error('The header is not aligned.')
  const [, rows, columns] = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n$/
    .exec(header)!
    .map(Number)
  const values = new Float32Array(new Uint8Array(bytes.subarray(10 + length)).buffer)
  if (values.length !== rows * columns) throw new Error(`${values.length} values for ${rows} x ${columns}.`)
  return {
    shape: [rows, columns],
    rows: Array.from({ length: rows }, (_, row) => values.subarray(row * columns, (row + 1) * columns))
  }
}

t.test('lines of JSON that bulk ingest takes in again', async (t) => {
  const { api } = await testServer(t)
  await fillCollection(api, 'things')
  const plain = await api('GET', '/v1/collections/things/export')
  t.match(plain, { status: 200 })
  t.equal(plain.headers.get('content-type'), 'application/x-ndjson')
  const lines = (plain.body as string)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const records = await listing(api, 'things')
  t.same(
    lines.map(({ id }) => id),
    records.map(({ id }) => id)
  )
  t.ok(lines.every((line) => !('embeddings' in line) && !('image' in line)))

  const whole = await api('GET', '/v1/collections/things/export?images=true&embeddings=true')
  await api('PUT', '/v1/collections/copy')
  const answers = (
    (await api('POST', '/v1/collections/copy/records/bulk', whole.body, NDJSON)).body as string
  )
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.ok(
    answers.every(({ status }) => status === 'created'),
    'each is taken in'
  )
  const without = (record: Record<string, unknown>) => ({ ...record, created_at: null, updated_at: null })
  t.same((await listing(api, 'copy')).map(without), records.map(without))

  await api('PUT', '/v1/collections/own', { model: null, dimension: 2 })
  await api('POST', '/v1/collections/own/records', { records: [{ id: 'x', embeddings: { image: [3, 4] } }] })
  t.match(
    JSON.parse((await api('GET', '/v1/collections/own/export')).body),
    { id: 'x', embeddings: { image: [Math.fround(0.6), Math.fround(0.8)] } },
    'embeddings that were brought along come along'
  )
  await api('PUT', '/v1/collections/empty')
  t.match(await api('GET', '/v1/collections/empty/export'), { status: 200, body: '' })
  t.match(await api('GET', '/v1/collections/nowhere/export'), {
    status: 404,
    body: { error: { code: 'COLLECTION_NOT_FOUND' } }
  })
  t.match(await api('GET', '/v1/collections/things/export?embeddings=perhaps'), { status: 400 })
})

t.test('NumPy arrays with the ids of their rows', async (t) => {
  const { api, url } = await testServer(t)
  await fillCollection(api, 'things')
  const lines = new Map(
    (await api('GET', '/v1/collections/things/export?embeddings=true')).body
      .trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line))
      .map((record: { id: string }) => [record.id, record])
  )
  const files: Record<string, Buffer> = {}
  for (const modality of ['image', 'text']) {
    const npy = await fetch(`${url}/v1/collections/things/export/${modality}.npy`)
    files[modality] = Buffer.from(await npy.arrayBuffer())
    t.equal(npy.headers.get('content-length'), String(files[modality].length))
    const { shape, rows } = readNpy(files[modality])
    const { status, body, headers } = await api(
      'GET',
      `/v1/collections/things/export/${modality}.ids`,
      undefined,
      { headers: { 'if-match': npy.headers.get('etag')! } }
    )
    t.equal(status, 200)
    t.equal(headers.get('etag'), npy.headers.get('etag'))
    const ids = (body as string).split('\n').slice(0, -1)
    t.same(shape, [ids.length, 256])
    const expected = [...lines.values()].filter(
      (record) =>
        (record as { embeddings: object }).embeddings &&
        modality in (record as { embeddings: object }).embeddings
    )
    t.equal(ids.length, expected.length)
    t.equal(new Set(ids).size, ids.length)
    ids.forEach((id, row) =>
      t.same([...rows[row]], (lines.get(id) as { embeddings: Record<string, number[]> }).embeddings[modality])
    )
  }

  const { etag } = Object.fromEntries(
    (await fetch(`${url}/v1/collections/things/export/text.npy`, { method: 'HEAD' })).headers
  )
  const ifMatch = (path: string) =>
    api('GET', `/v1/collections/things/export/${path}`, undefined, { headers: { 'if-match': etag } })
  t.match(await ifMatch('text.ids'), { status: 200 })
  t.match(await ifMatch('image.ids'), { status: 412, body: { error: { code: 'EXPORT_CHANGED' } } })
  await api('PATCH', '/v1/collections/things/records/r10', { metadata: { seen: true } })
  t.match(await ifMatch('text.ids'), { status: 200 }, 'metadata changes no rows')
  await api('PATCH', '/v1/collections/things/records/r10', { text: 'another text' })
  t.match(await ifMatch('text.ids'), { status: 412 }, 'a new text does, though there are as many')
  t.match(await api('GET', '/v1/collections/things/export/audio.npy'), { status: 400 })

  await api('PUT', '/v1/collections/empty')
  const empty = Buffer.from(await (await fetch(`${url}/v1/collections/empty/export/image.npy`)).arrayBuffer())
  t.same(readNpy(empty), { shape: [0, 256], rows: [] })
  t.match(await api('GET', '/v1/collections/empty/export/image.ids'), { status: 200, body: '' })

  await t.test(
    'NumPy itself reads them',
    { skip: hasNumpy ? false : 'NumPy is not installed' },
    async (t) => {
      const folder = t.testdir()
      await writeFile(join(folder, 'image.npy'), files.image)
      await writeFile(join(folder, 'empty.npy'), empty)
      const script =
        'import numpy, sys; rows = numpy.load(sys.argv[1]); print(rows.dtype, rows.shape, ' +
        'rows.flags.c_contiguous, float(rows[3, 7])); print(numpy.load(sys.argv[2]).shape)'
      const { stdout } = await promisify(execFile)('/usr/bin/python3', [
        '-c',
        script,
        join(folder, 'image.npy'),
        join(folder, 'empty.npy')
      ])
      const { shape, rows } = readNpy(files.image)
      t.equal(stdout, `float32 (${shape[0]}, ${shape[1]}) True ${rows[3][7]}\n(0, 256)\n`)
    }
  )
})

t.test('exports end with their clients, and so many run at a time', async (t) => {
  const { api, url } = await testServer(t)
  await api('PUT', '/v1/collections/own', { model: null, dimension: 2048 })
  for (let n = 0; n < 10; n++)
    await api('POST', '/v1/collections/own/records', {
      records: Array.from({ length: 200 }, (_, i) => ({
        id: `r${n}-${i}`,
        embeddings: { image: Array.from({ length: 2048 }, (_, d) => (d === i ? 1 : 0.001)) }
      }))
    })
  const stops = Array.from({ length: 4 }, () => new AbortController())
  // None reads on: what the sockets do not take waits.
  const open = await Promise.all(
    stops.map(({ signal }) => fetch(`${url}/v1/collections/own/export?embeddings=true`, { signal }))
  )
  t.ok(open.every(({ status }) => status === 200))
  const refused = await api('GET', '/v1/collections/own/export/image.ids')
  t.match(refused, { status: 429, body: { error: { code: 'QUEUE_FULL' } } })
  t.ok(refused.headers.get('retry-after'))
  for (const stop of stops) stop.abort()
  let status = 429
  for (let waited = 0; status === 429 && waited < 10_000; waited += 50)
    ({ status } = await api('GET', '/v1/collections/own/export/image.ids'))
  t.equal(status, 200)
  // A collection that is dropped in the middle cuts its export off: it must not look whole.
  const cut = await fetch(`${url}/v1/collections/own/export?embeddings=true`)
  await api('DELETE', '/v1/collections/own')
  await t.rejects(cut.text())
  await api('PUT', '/v1/collections/own', { model: null, dimension: 2 })
  for (let n = 0; n < 6; n++)
    t.equal(
      (await fetch(`${url}/v1/collections/own/export/image.npy`, { method: 'HEAD' })).status,
      200,
      'a HEAD lets go too'
    )
})
