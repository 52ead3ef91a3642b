import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import t from 'tap'
import { startProcess } from '../../fixtures/service.js'
import { client, type Api } from '../../fixtures/server.js'
import { uniform } from '../../fixtures/random.js'

const ROUNDS = 3
const PER_CALL = 4

/** A picture like no other: a board of coloured fields that its number draws. */
async function picture(n: number): Promise<{ base64: string }> {
  let state = n * 2654435761 + 1
  const fields = Uint8Array.from(
    { length: 6 * 6 * 3 },
    () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24
  )
  const board = sharp(fields, { raw: { width: 6, height: 6, channels: 3 } }).resize(96, 96, {
    kernel: 'nearest'
  })
  return { base64: (await board.png().toBuffer()).toString('base64') }
}

t.test('kill -9 during ingest loses nothing that was acknowledged', async (t) => {
  const dataDir = t.testdir()
  const acknowledged = new Map<string, number>()
  const deleted = new Set<string>()
  let next = 0

  /** Adds and deletes until the process is gone, noting what was acknowledged. */
  async function load(api: Api): Promise<void> {
    for (;;) {
      const numbers = Array.from({ length: PER_CALL }, () => next++)
      const records = await Promise.all(
        numbers.map(async (n) => ({
          id: `r${n}`,
          text: `picture number ${n}`,
          image: await picture(n),
          metadata: { n }
        }))
      )
      const answer = await api('POST', '/v1/collections/things/records', { records }).catch(() => undefined)
      if (!answer) return
      for (const { id, status } of answer.body.results)
        if (status === 'created') acknowledged.set(id, Number(id.slice(1)))
      const victim = `r${numbers[0]}`
      const deletion = await api('DELETE', `/v1/collections/things/records/${victim}`).catch(() => undefined)
      // Without an answer it may or may not have happened: nothing is said of it.
      acknowledged.delete(victim)
      if (!deletion) return
      deleted.add(victim)
    }
  }

  async function check(api: Api): Promise<void> {
    const { body: collection } = await api('GET', '/v1/collections/things')
    t.equal(collection.images, collection.records, 'no record is without its embeddings')
    t.equal(collection.texts, collection.records)
    t.ok(
      collection.records >= acknowledged.size,
      `${collection.records} records, ${acknowledged.size} acknowledged`
    )
    const lost: string[] = []
    for (const [id, n] of acknowledged) {
      const record = await api('GET', `/v1/collections/things/records/${id}`)
      const image = await fetch(`${url}/v1/collections/things/records/${id}/image`)
      const finds = async (target: string, query: object) =>
        (await api('POST', '/v1/collections/things/search', { query, target, limit: 3 })).body.matches.some(
          (match: { id: string }) => match.id === id
        )
      const found =
        (await finds('image', { image: await picture(n) })) &&
        (await finds('text', { text: `picture number ${n}` }))
      if (record.body.metadata?.n !== n || image.status !== 200 || !found) lost.push(id)
      await image.arrayBuffer()
    }
    t.same(lost, [], `all ${acknowledged.size} acknowledged records are there and found`)
    const ghosts = (
      await Promise.all([...deleted].map((id) => api('GET', `/v1/collections/things/records/${id}`)))
    ).filter(({ status }) => status !== 404)
    t.equal(ghosts.length, 0, `none of ${deleted.size} deleted records is`)
  }

  let url = ''
  for (let round = 0; round <= ROUNDS; round++) {
    const service = await startProcess(t, {
      DATA_DIR: dataDir,
      DEMO: 'false',
      LOG_LEVEL: 'info',
      EMBEDDING_CACHE_MIB: '64'
    })
    url = service.url
    const api = client(url)
    if (round === 0) await api('PUT', '/v1/collections/things')
    else await check(api)
    if (round === ROUNDS) {
      service.child.kill('SIGTERM')
      t.equal(await service.ended, 0, 'SIGTERM ends it with 0')
      break
    }
    const before = acknowledged.size
    const loads = [load(api), load(api)]
    // However slow the machine is, something is acknowledged before the kill.
    for (let waited = 0; acknowledged.size === before && waited < 60_000; waited += 20) await sleep(20)
    await sleep(uniform() * 900)
    service.child.kill('SIGKILL')
    t.equal(await service.ended, 'SIGKILL')
    await Promise.all(loads)
  }
  t.ok(
    acknowledged.size >= ROUNDS * PER_CALL,
    `${acknowledged.size} records were acknowledged in ${ROUNDS} rounds`
  )
})
