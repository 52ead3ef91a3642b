import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { client, type Api } from '../../fixtures/server.js'
import { startProcess } from '../../fixtures/service.js'
import { resizeDisk, smallDisk, unmount } from '../../fixtures/small-disk.js'

const ENV = { DEMO: 'false', LOG_LEVEL: 'info', IMAGE_BATCH_SIZE: '1', TEXT_BATCH_SIZE: '8' }
const DIMENSION = 512
const PER_CALL = 50
const MOST_CALLS = 1000

const base = '/v1/collections/disk'

/** A record with some 4 KB of text and a vector that is its own. */
const record = (n: number) => ({
  id: `r${n}`,
  text: `${n} `.repeat(800),
  embeddings: { text: Array.from({ length: DIMENSION }, (_, d) => Math.sin((n + 1) * (d + 1))) }
})

/** Adds until it is rejected; returns how many records were acknowledged, and the refusal. */
async function fill(api: Api, from: number): Promise<{ next: number; refusal: Awaited<ReturnType<Api>> }> {
  for (let call = 0; call < MOST_CALLS; call++) {
    const start = from + call * PER_CALL
    const answer = await api('POST', `${base}/records`, {
      records: Array.from({ length: PER_CALL }, (_, i) => record(start + i))
    })
    if (answer.status !== 200) return { next: start, refusal: answer }
  }
  throw new Error('The disk did not fill up.')
}

t.test(
  'a disk that fills up refuses writes whole, through a kill, and takes them again with room',
  async (t) => {
    const dataDir = await smallDisk('24m')
    if (!dataDir) return void t.pass('a disk of its own', { skip: 'no disk may be mounted here' })
    let service = await startProcess(t, { DATA_DIR: dataDir, ...ENV })
    try {
      let api = client(service.url)
      await api('PUT', base, { model: null, dimension: DIMENSION })
      const { next, refusal } = await fill(api, 0)
      t.match(refusal, { status: 507, body: { error: { code: 'STORAGE_FULL' } } }, `after ${next} records`)
      const check = async (message: string) => {
        const { body } = await api('GET', base)
        t.match(body, { records: next, texts: next }, message)
        const {
          status,
          body: { matches }
        } = await api('POST', `${base}/search`, {
          query: { embedding: record(next - 1).embeddings.text },
          target: 'text',
          limit: 1
        })
        t.match(
          { status, matches },
          { status: 200, matches: [{ id: `r${next - 1}`, score: Number }] },
          'searches answer'
        )
      }
      await check('nothing of what was refused is there')
      t.equal((await api('GET', '/health/ready')).status, 200)

      service.child.kill('SIGKILL')
      await service.ended
      service = await startProcess(t, { DATA_DIR: dataDir, ...ENV })
      api = client(service.url)
      await check('what was acknowledged is there after a kill, on the full disk')

      resizeDisk(dataDir, '96m')
      t.match(
        await api('POST', `${base}/records`, { records: [record(next)] }),
        { status: 200, body: { results: [{ status: 'created' }] } },
        'with room it takes writes'
      )
      t.notOk((await readdir(join(dataDir, 'images')).catch(() => [])).length, 'no stray file')
    } finally {
      service.child.kill('SIGTERM')
      t.equal(await service.ended, 0)
      await unmount(dataDir)
    }
  }
)
