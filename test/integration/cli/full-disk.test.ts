import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { testServer } from '../../fixtures/server.js'
import { resizeDisk, smallDisk, unmount } from '../../fixtures/small-disk.js'

const COUNT = 800
const padding = 'x'.repeat(15_000)
const record = (n: number) =>
  JSON.stringify({ id: `r${n}`, metadata: { padding }, embeddings: { text: [1, n, 0] } })

interface Stopped {
  code: number
  stderr: string
  created: number
  unchanged: number
  stopped: { code: string; message: string; next_line?: number }
}

t.test('a load that a full disk stops says how many records are stored and how to continue', async (t) => {
  const dataDir = await smallDisk('12m')
  if (!dataDir) return void t.pass('a disk of its own', { skip: 'no disk may be mounted here' })
  const server = await testServer(t, {
    DATA_DIR: dataDir,
    MODELS_DIR: 'test/fixtures/towers',
    MODELS: 'clip'
  })
  const { api, url } = server
  const stored = async (name: string) => (await api('GET', `/v1/collections/${name}`)).body.records
  const index = async (...args: string[]): Promise<Stopped> => {
    const { code, stdout, stderr } = await callCommand(['index', ...args, '--json'], { SEMBLANCE_URL: url })
    return { code, stderr, ...JSON.parse(stdout) }
  }
  try {
    for (const name of ['lines', 'piped', 'sent'])
      await api('PUT', `/v1/collections/${name}`, { model: null, dimension: 3 })
    await api('PUT', '/v1/collections/table')
    const folder = t.testdir()
    const lines = join(folder, 'lines.ndjson')
    const table = join(folder, 'table.csv')
    await writeFile(lines, Array.from({ length: COUNT }, (_, n) => `${record(n)}\n`).join(''))
    await writeFile(
      table,
      `id,text,padding\n${Array.from({ length: COUNT }, (_, n) => `r${n},a text,${padding}\n`).join('')}`
    )

    const first = await index(lines, '-c', 'lines')
    const count = await stored('lines')
    t.match(first, { code: 1, created: count, stopped: { code: 'STORAGE_FULL', next_line: count + 1 } })
    t.ok(count > 0 && count < COUNT, `${count} records`)
    const counts =
      `${count} records were stored before that: ${count} created, 0 updated, 0 ` + 'unchanged, 0 failed'
    const advice = `run the same command again: it continues from line ${count + 1}`
    t.match(
      first.stderr,
      new RegExp(`^semblance: STORAGE_FULL: The disk of the service is full. ${counts}.*${advice}`)
    )

    await t.test('the service names the lines that are done', async (t) => {
      const body = Array.from({ length: COUNT }, (_, n) => `${record(n)}\n`).join('')
      const headers = { 'content-type': 'application/x-ndjson' }
      const answer = await api('POST', '/v1/collections/sent/records/bulk', body, { headers })
      const answers = answer.body
        .trim()
        .split('\n')
        .map((line: string) => JSON.parse(line))
      const { error } = answers.pop()
      t.match(error, { code: 'STORAGE_FULL', message: `send the lines from ${answers.length + 1} on.` })
      const soFar =
        answers.length === 0 ? 'No line was processed' : `Lines 1 to ${answers.length} were processed`
      t.ok(error.message.startsWith(`There is not enough disk space. ${soFar}`), error.message)
      t.equal(await stored('sent'), answers.length)
    })

    await t.test('standard input is resumed from a line', async (t) => {
      const stdin = await readFile(lines, 'utf8')
      const { code, stderr } = await callCommand(
        ['index', '-', '-c', 'piped'],
        { SEMBLANCE_URL: url },
        { stdin }
      )
      const next = (await stored('piped')) + 1
      t.equal(code, 1)
      t.match(
        stderr,
        new RegExp(
          `${next - 1} records? (was|were) stored.*pipe the lines from ${next} on.*tail -n \\+${next}'`
        )
      )
    })

    await t.test('records of a table are counted, too', async (t) => {
      const { code, created, stopped, stderr } = await index(table, '-c', 'table')
      t.equal(created, await stored('table'))
      t.match({ code, stopped }, { code: 1, stopped: { code: 'STORAGE_FULL', next_line: undefined } })
      t.match(stderr, `${created} records were stored before that`)
      t.match(stderr, 'run the same command again: records that are already stored are not sent again.')
    })

    resizeDisk(dataDir, '96m')
    t.match(
      await index(lines, '-c', 'lines'),
      { code: 0, created: COUNT - count, unchanged: count, stderr: '', stopped: undefined },
      'with room it goes on'
    )
    t.equal(await stored('lines'), COUNT)
  } finally {
    await server.close()
    await unmount(dataDir)
  }
})
