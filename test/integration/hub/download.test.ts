import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { downloadFile } from '../../../src/hub/download.js'
import type { HubOptions } from '../../../src/hub/hub.js'
import { listFiles } from '../../../src/hub/repo-listing.js'
import { startHub, type TestHub } from '../../fixtures/hub.js'
import { clientOf } from '../../fixtures/pulling.js'

const MODEL = 'onnx/vision_model.onnx'

interface Prepared {
  hub: TestHub
  target: string
  retries: string[]
  download: (path?: string) => Promise<string>
}

async function prepare(t: Test, options: Partial<HubOptions> = {}): Promise<Prepared> {
  const hub = await startHub(t)
  const retries: string[] = []
  const client = clientOf(t, hub, { onRetry: (_, reason) => retries.push(reason), ...options })
  const files = await listFiles(client, hub.repo, hub.commit)
  const folder = t.testdir()
  const download = (path = MODEL) =>
    downloadFile(client, {
      file: files.find((file) => file.path === path)!,
      repo: hub.repo,
      revision: hub.commit,
      target: join(folder, path),
      onProgress: () => {}
    })
  return { hub, target: join(folder, MODEL), retries, download }
}

/** What the CDN was asked for. */
const asked = ({ requests }: TestHub) =>
  requests.filter(({ server }) => server === 'cdn').map(({ range, status }) => [range, status])

async function isWhole(t: Test, { hub, target }: Prepared): Promise<void> {
  t.ok((await readFile(target)).equals(hub.files[MODEL].content), 'byte for byte')
  t.equal(await stat(`${target}.partial`).catch(() => 'gone'), 'gone')
  t.equal(await stat(`${target}.partial.etag`).catch(() => 'gone'), 'gone')
}

t.test('a connection that drops is resumed from the byte it came to', async (t) => {
  const prepared = await prepare(t)
  prepared.hub.faults[MODEL] = [
    { kind: 'drop', after: 100_000 },
    { kind: 'drop', after: 50_000 }
  ]
  await prepared.download()
  await isWhole(t, prepared)
  t.same(asked(prepared.hub), [
    [undefined, 200],
    ['bytes=100000-', 206],
    ['bytes=150000-', 206]
  ])
  t.match(prepared.hub.requests.at(-1)!.ifRange, /^"[0-9a-f]{64}"$/)
  t.match(prepared.retries, [/broke \(UND_ERR_SOCKET\)/, /broke/])
})

t.test(
  'another ETag than that of the partial, or a server without ranges, starts the file again',
  async (t) => {
    for (const make of [
      async ({ hub }: Prepared) => void (hub.ranges = false),
      async ({ target }: Prepared) => writeFile(`${target}.partial.etag`, '"another"')
    ]) {
      const prepared = await prepare(t, { retry: { tries: 1, baseMs: 1 } })
      prepared.hub.faults[MODEL] = [{ kind: 'drop', after: 100_000 }]
      await t.rejects(prepared.download(), /broke/)
      t.equal((await stat(`${prepared.target}.partial`)).size, 100_000)
      await make(prepared)
      await prepared.download()
      await isWhole(t, prepared)
      t.same(asked(prepared.hub), [
        [undefined, 200],
        ['bytes=100000-', 200]
      ])
    }
  }
)

t.test('a weak ETag says nothing of bytes: the range is asked for without it', async (t) => {
  const prepared = await prepare(t)
  prepared.hub.weakEtags = true
  prepared.hub.faults[MODEL] = [{ kind: 'drop', after: 100_000 }]
  await prepared.download()
  await isWhole(t, prepared)
  t.same(prepared.hub.requests.at(-1), {
    server: 'cdn',
    path: prepared.hub.requests.at(-1)!.path,
    range: 'bytes=100000-',
    status: 206
  })
})

t.test('wrong bytes: the file and both checksums are named, and the partial goes', async (t) => {
  const prepared = await prepare(t)
  prepared.hub.faults[MODEL] = [{ kind: 'wrong' }]
  await t.rejects(
    prepared.download(),
    /^onnx\/vision_model.onnx has the wrong checksum: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}\./
  )
  t.equal(await stat(`${prepared.target}.partial`).catch(() => 'gone'), 'gone')
  prepared.hub.faults['config.json'] = [{ kind: 'wrong' }]
  await t.rejects(
    prepared.download('config.json'),
    /^config.json has the wrong checksum: expected git-sha1 [0-9a-f]{40}, got [0-9a-f]{40}\./
  )
  t.same(prepared.retries, [], 'it is not tried again: the next answer would be the same')
})

t.test('a partial whose bytes went bad, as after a power cut, is fetched again', async (t) => {
  const first = await prepare(t, { retry: { tries: 1, baseMs: 1 } })
  first.hub.faults[MODEL] = [{ kind: 'drop', after: 100_000 }]
  await t.rejects(first.download(), /broke/)
  await writeFile(`${first.target}.partial`, Buffer.alloc(100_000))
  await t.rejects(first.download(), /wrong checksum and starts again/)
  await first.download()
  await isWhole(t, first)
  t.same(asked(first.hub), [
    [undefined, 200],
    ['bytes=100000-', 206],
    [undefined, 200]
  ])
})

t.test('partials of all sizes: whole ones are not fetched, longer ones start again', async (t) => {
  const prepared = await prepare(t)
  const { content } = prepared.hub.files[MODEL]
  prepared.hub.faults[MODEL] = [{ kind: 'status', status: 503 }]
  await prepared.download('config.json')
  await prepared.download()
  t.same(asked(prepared.hub), [
    [undefined, 503],
    [undefined, 200]
  ])
  prepared.hub.requests.length = 0
  await writeFile(`${prepared.target}.partial`, content)
  await prepared.download()
  t.same(prepared.hub.requests, [])
  await writeFile(`${prepared.target}.partial`, Buffer.concat([content, content]))
  await prepared.download()
  t.same(asked(prepared.hub), [[undefined, 200]])
  await isWhole(t, prepared)
})

t.test('an answer 416 starts the file again', async (t) => {
  const prepared = await prepare(t)
  prepared.hub.faults[MODEL] = [
    { kind: 'drop', after: 100_000 },
    { kind: 'status', status: 416 }
  ]
  await prepared.download()
  await isWhole(t, prepared)
  t.same(asked(prepared.hub), [
    [undefined, 200],
    ['bytes=100000-', 416],
    [undefined, 200]
  ])
})

t.test('more bytes than were listed end the download', async (t) => {
  const prepared = await prepare(t)
  prepared.hub.faults[MODEL] = [{ kind: 'longer' }]
  await t.rejects(
    prepared.download(),
    /sent more than the \d+ bytes that it lists for onnx\/vision_model.onnx/
  )
})

t.test('an empty file', async (t) => {
  const prepared = await prepare(t)
  t.equal(
    await prepared.download('LICENSE'),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  )
})

t.test('a server that falls silent fails that try only', async (t) => {
  const prepared = await prepare(t, { stallMs: 1000 })
  prepared.hub.faults[MODEL] = [{ kind: 'stall', after: 100_000 }]
  await prepared.download()
  await isWhole(t, prepared)
  t.match(prepared.retries, [/UND_ERR_BODY_TIMEOUT/])
  t.same(asked(prepared.hub), [
    [undefined, 200],
    ['bytes=100000-', 206]
  ])
})

t.test('429 waits as long as it says, 5xx a while, and both are bounded', async (t) => {
  const prepared = await prepare(t)
  prepared.hub.faults[MODEL] = [
    { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
    { kind: 'status', status: 500 }
  ]
  const began = performance.now()
  await prepared.download()
  t.ok(performance.now() - began >= 990)
  await isWhole(t, prepared)
  t.match(prepared.retries, [/limits the request rate \(429\)/, /answered 500/])
  prepared.hub.faults['config.json'] = Array.from({ length: 10 }, () => ({ kind: 'status', status: 502 }))
  await t.rejects(prepared.download('config.json'), /answered 502/)
  t.equal(prepared.hub.faults['config.json'].length, 6, 'four tries')
})
