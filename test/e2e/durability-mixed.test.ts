import { appendFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startProcess } from '../fixtures/service.js'
import { client, type Api } from '../fixtures/server.js'

/** DURABILITY_ROUNDS=30 for the long run. */
const ROUNDS = Number(process.env.DURABILITY_ROUNDS ?? 5)
const DIMENSION = 16
const BATCH = 200
const IDS_PER_WRITER = 3000

/** A unit vector that an id and its version stand for. */
function vectorOf(id: string, version: number): number[] {
  let state = [...`${id}/${version}`].reduce((hash, character) => Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5)
  const vector = Array.from({ length: DIMENSION }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

/** What was acknowledged of each id: a version, or null where it is gone. A write without an answer allows two states. */
type States = Map<string, Set<number | null>>

const base = '/v1/collections/mixed'

/** Writes at random over ids of its own until the process is gone. Returns how many changes were acknowledged. */
async function write(api: Api, { name, states, versions }: { name: string; states: States; versions: { next: number } }): Promise<number> {
  let acknowledged = 0
  for (;;) {
    const ids = Array.from({ length: BATCH }, () => `${name}-${Math.floor(Math.random() * IDS_PER_WRITER)}`)
    const unique = [...new Set(ids)]
    const version = versions.next++
    const kind = Math.random()
    let outcome: Map<string, number | null>
    let call: () => ReturnType<Api>
    if (kind < 0.55) {
      outcome = new Map(unique.map((id) => [id, version]))
      call = () => api('POST', `${base}/records`, { records: unique.map((id) => ({ id, metadata: { version }, embeddings: { image: vectorOf(id, version) } })) })
    } else if (kind < 0.8) {
      outcome = new Map(unique.map((id) => [id, null]))
      call = () => api('POST', `${base}/records/delete`, { ids: unique })
    } else {
      const id = unique[0]
      if (states.get(id)?.has(null) ?? true) continue
      outcome = new Map([[id, version]])
      call = () => api('PATCH', `${base}/records/${id}`, { metadata: { version }, embeddings: { image: vectorOf(id, version) } })
    }
    const before = new Map([...outcome.keys()].map((id) => [id, states.get(id) ?? new Set([null])]))
    for (const [id, state] of outcome) states.set(id, new Set([...before.get(id)!, state]))
    const answer = await call().catch(() => undefined)
    if (!answer) return acknowledged
    if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
    for (const [id, state] of outcome) states.set(id, new Set([state]))
    acknowledged += outcome.size
  }
}

/** Creates and drops collections until the process is gone, noting which are there for sure and which may be. */
async function createAndDrop(api: Api, names: Map<string, Set<boolean>>): Promise<void> {
  for (let n = 0; ; n++) {
    const name = `passing-${n % 5}`
    const wanted = Math.random() < 0.5
    names.set(name, new Set([...(names.get(name) ?? [false]), wanted]))
    const answer = await api(wanted ? 'PUT' : 'DELETE', `/v1/collections/${name}`, wanted ? { model: null, dimension: 4 } : undefined).catch(() => undefined)
    if (!answer) return
    names.set(name, new Set([wanted]))
    await sleep(5)
  }
}

async function check(t: Test, api: Api, { states, names }: { states: States; names: Map<string, Set<boolean>> }): Promise<void> {
  const { body: collection } = await api('GET', base)
  t.equal(collection.images, collection.records, 'no record is without its embedding')
  const stored = new Map<string, number>()
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body }: { body: { records: { id: string; metadata: { version: number } }[]; next_cursor: string | null } } = await api('GET', `${base}/records?limit=1000${cursor && `&cursor=${cursor}`}`)
    for (const { id, metadata } of body.records) stored.set(id, metadata.version)
    cursor = body.next_cursor
  }
  t.equal(stored.size, collection.records)
  const wrong = [...states].filter(([id, allowed]) => !allowed.has(stored.get(id) ?? null))
  t.same(wrong.map(([id]) => id), [], `of ${states.size} ids none is lost, stale or a ghost`)
  t.same([...stored.keys()].filter((id) => !states.has(id)), [], 'nothing is there that was never sent')
  for (const [id, version] of stored) states.set(id, new Set([version]))
  for (const id of states.keys()) if (!stored.has(id)) states.set(id, new Set([null]))

  const sample = [...stored].sort(() => Math.random() - 0.5).slice(0, 150)
  let [found, shared] = [0, 0]
  for (const [id, version] of sample) {
    const query = { query: { embedding: vectorOf(id, version) }, limit: 10 }
    const [approximate, exact] = await Promise.all([api('POST', `${base}/search`, query), api('POST', `${base}/search`, { ...query, exact: true })])
    const best = new Set(exact.body.matches.map((match: { id: string }) => match.id))
    if (exact.body.matches[0]?.id === id && exact.body.matches[0].score > 0.9999) found++
    shared += approximate.body.matches.filter((match: { id: string }) => best.has(match.id)).length / best.size
  }
  t.equal(found, sample.length, `each of ${sample.length} records is found by its own embedding`)
  t.ok(shared / Math.max(1, sample.length) >= 0.97, `recall@10 against exact search is ${(shared / Math.max(1, sample.length)).toFixed(4)}`)

  const { body: listed } = await api('GET', '/v1/collections')
  const there = new Set(listed.collections.map(({ name }: { name: string }) => name))
  for (const [name, allowed] of names) {
    t.ok(allowed.has(there.has(name)), `${name} is ${there.has(name) ? 'there' : 'gone'}`)
    names.set(name, new Set([there.has(name)]))
  }
}

/** Damages the newest snapshot in one of four ways, or lets it be. */
async function damage(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'snapshots')
  for (const name of await readdir(folder).catch(() => [] as string[])) {
    const newest = (await readdir(join(folder, name))).filter((entry) => /^\d+$/.test(entry)).map(Number).sort((a, b) => b - a)[0]
    if (newest === undefined) continue
    const snapshot = join(folder, name, String(newest))
    const file = join(snapshot, 'graph.hnsw')
    const kind = ['truncated', 'flipped', 'deleted', 'from a newer version', 'whole'][Math.floor(Math.random() * 5)]
    if (kind === 'truncated') await truncate(file, 1000)
    else if (kind === 'deleted') await rm(snapshot, { recursive: true })
    else if (kind === 'from a newer version') await appendFile(join(snapshot, 'header.json'), ' ').then(async () => writeFile(join(snapshot, 'header.json'), (await readFile(join(snapshot, 'header.json'), 'utf8')).replace('"format":1', '"format":2')))
    else if (kind === 'flipped') {
      const bytes = await readFile(file)
      bytes[bytes.length >> 1] ^= 0x10
      await writeFile(file, bytes)
    }
    return kind
  }
  return 'not there'
}

t.test('kill -9 under every kind of write, with snapshots damaged in between', { timeout: 60_000 + ROUNDS * 30_000 }, async (t) => {
  const dataDir = t.testdir()
  const states: States = new Map()
  const names = new Map<string, Set<boolean>>()
  const versions = { next: 1 }
  let acknowledged = 0
  const damages: string[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const service = await startProcess(t, { DATA_DIR: dataDir, DEMO: 'false', LOG_LEVEL: 'info', ENCODER_WORKERS: '1', EXPRESS_WORKER: 'false', DECODE_WORKERS: '1' })
    const api = client(service.url)
    if (round === 0) await api('PUT', base, { model: null, dimension: DIMENSION })
    else await check(t, api, { states, names })
    if (round === ROUNDS) {
      service.child.kill('SIGTERM')
      t.equal(await service.ended, 0)
      break
    }
    const loads = [...['a', 'b', 'c'].map((name) => write(api, { name, states, versions })), createAndDrop(api, names).then(() => 0)]
    await sleep(500 + Math.random() * 3500)
    service.child.kill('SIGKILL')
    await service.ended
    acknowledged += (await Promise.all(loads)).reduce((sum, count) => sum + count, 0)
    damages.push(await damage(dataDir))
  }
  t.ok(acknowledged > ROUNDS * BATCH, `${acknowledged} changes were acknowledged in ${ROUNDS} rounds; snapshots: ${damages.join(', ')}`)
})
