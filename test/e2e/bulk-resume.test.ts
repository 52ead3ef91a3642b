import t from 'tap'
import { startProcess } from '../fixtures/service.js'
import { client } from '../fixtures/server.js'

const LINES = 30_000
const DIMENSION = 16
const KILLS = 3

/** Some lines bring no id, and some are wrong. */
function line(n: number): string {
  if (n % 1000 === 999) return 'no json'
  const values = Array.from({ length: DIMENSION }, (_, d) => Math.sin((n + 1) * (d + 1)))
  return JSON.stringify({ ...(n % 10 && { id: `r${n}` }), metadata: { n }, embeddings: { image: values } })
}

t.test(
  'kill -9 in the middle of bulk loads: resumed by their key each line is written once',
  { timeout: 240_000 },
  async (t) => {
    const dataDir = t.testdir()
    const env = { DATA_DIR: dataDir, DEMO: 'false', LOG_LEVEL: 'info' }
    const all = Array.from({ length: LINES }, (_, n) => line(n))
    const base = '/v1/collections/own'
    const outcomes = new Map<number, Set<string>>()
    const counts: Record<string, number>[] = []
    let loaded = 0
    for (let round = 0; round <= KILLS; round++) {
      const service = await startProcess(t, env)
      const api = client(service.url)
      if (round === 0) await api('PUT', base, { model: null, dimension: DIMENSION })
      else {
        loaded = (await api('GET', `${base}/bulk/load`)).body.lines
        t.ok(loaded > 0 && loaded < LINES, `${loaded} lines after kill ${round}`)
      }
      // Every other time the client leaves out by itself what is there.
      const from = round % 2 ? 1 : loaded + 1
      const killAt = round < KILLS ? loaded + 4000 : Infinity
      let open = true
      async function* sent() {
        for (let n = from - 1; n < LINES && open; n += 100)
          yield Buffer.from(
            all
              .slice(n, n + 100)
              .map((text) => text + '\n')
              .join('')
          )
      }
      const seen: Record<string, number> = {}
      let rest = ''
      try {
        const response = await fetch(`${service.url}${base}/records/bulk?from_line=${from}`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': 'load' },
          body: sent(),
          duplex: 'half'
        } as unknown as RequestInit)
        t.equal(response.status, 200)
        for await (const chunk of response.body!) {
          const lines = (rest + Buffer.from(chunk).toString()).split('\n')
          rest = lines.pop()!
          for (const { line, status } of lines.map((text) => JSON.parse(text))) {
            seen[status] = (seen[status] ?? 0) + 1
            outcomes.set(line, (outcomes.get(line) ?? new Set()).add(status))
            if (line === killAt) service.child.kill('SIGKILL')
          }
        }
      } catch (error) {
        if (killAt === Infinity) throw error
      }
      open = false
      counts.push(seen)
      if (round < KILLS) {
        t.equal(await service.ended, 'SIGKILL')
        continue
      }
      const failed = LINES / 1000
      t.match((await api('GET', `${base}/bulk/load`)).body, {
        lines: LINES,
        created: LINES - failed,
        updated: 0,
        failed,
        completed: true
      })
      t.match((await api('GET', base)).body, { records: LINES - failed, images: LINES - failed })
      t.equal(outcomes.size, LINES, 'each line was answered')
      t.equal([...outcomes.values()].filter((statuses) => statuses.has('updated')).length, 0)
      const wrong = [...outcomes].filter(
        ([number, statuses]) => statuses.has('failed') !== (number % 1000 === 0)
      )
      t.same(wrong, [], 'those that fail are those that are wrong')
      const {
        body: {
          matches: [best]
        }
      } = await api('POST', `${base}/search`, {
        query: { embedding: JSON.parse(line(17_001)).embeddings.image },
        limit: 1,
        exact: true
      })
      t.match(best, { id: 'r17001' })
      service.child.kill('SIGTERM')
      t.equal(await service.ended, 0)
    }
    t.comment(JSON.stringify(counts))
  }
)
