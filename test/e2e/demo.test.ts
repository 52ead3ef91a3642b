import { mkdir, readdir } from 'node:fs/promises'
import t from 'tap'
import { AS_INSTALLED, startProcess, whenReady } from '../fixtures/service.js'
import { client } from '../fixtures/server.js'

/** A picture of one of these kinds is among the three best. */
const QUERIES: Record<string, RegExp> = {
  'a slice of pizza': /pizza/,
  'a dog': /dog|poodle/,
  'a birthday cake': /birthday cake/,
  rainbow: /rainbow/,
  fruit:
    /apple|pineapple|mango|banana|grape|melon|pear|peach|cherries|strawberr|blueberr|kiwi|lemon|tangerine/,
  'an angry cat': /pouting cat/
}

t.test('a first start shows the demo collection, a second one keeps it', async (t) => {
  const dataDir = t.testdir()
  const first = await startProcess(t, { ...AS_INSTALLED, DATA_DIR: dataDir, LOG_LEVEL: 'info' })
  const before = await whenReady(first.url)
  t.match(before[0], { status: 'starting', pending: [{ task: 'demo' }] }, 'not ready before')
  t.match(first.output(), /Indexing the demo/, 'with a progress bar')
  const api = client(first.url)
  const { body: collection } = await api('GET', '/v1/collections/emoji')
  t.ok(
    collection.records > 1800 &&
      collection.images === collection.records &&
      collection.texts === collection.records,
    `${collection.records} records`
  )
  for (const [text, expected] of Object.entries(QUERIES)) {
    const { body } = await api('POST', '/v1/collections/emoji/search/text-to-image', { text, limit: 3 })
    const names = body.matches.map((match: { text: string }) => match.text)
    t.ok(
      names.some((name: string) => expected.test(name)),
      `${text}: ${names.join(', ')}`
    )
    t.match(body.matches[0].metadata, { emoji: /./, group: /./, tags: Array })
  }
  await api('DELETE', '/v1/collections/emoji/records/1f355')
  first.child.kill('SIGTERM')
  t.equal(await first.ended, 0)

  const second = await startProcess(t, { DATA_DIR: dataDir, LOG_LEVEL: 'info' })
  await whenReady(second.url)
  t.match(
    await client(second.url)('GET', '/v1/collections/emoji'),
    { body: { records: collection.records - 1 } },
    'what the user took out stays out'
  )
  t.notMatch(second.output(), /Indexing the demo/)
  second.child.kill('SIGTERM')
  t.equal(await second.ended, 0)
})

t.test('a load that was cut off continues; DEMO=false leaves it out', async (t) => {
  const dataDir = t.testdir()
  const first = await startProcess(t, { ...AS_INSTALLED, DATA_DIR: dataDir, LOG_LEVEL: 'info' })
  const api = client(first.url)
  for (let i = 0; i < 2400 && ((await api('GET', '/v1/collections/emoji')).body.records ?? 0) < 200; i++)
    await new Promise((resolve) => setTimeout(resolve, 50))
  first.child.kill('SIGTERM')
  t.equal(await first.ended, 0, 'SIGTERM in the middle of the load ends it well')
  const home = `${dataDir}/home`
  await mkdir(home)
  const without = await startProcess(t, { DATA_DIR: dataDir, DEMO: 'false', LOG_LEVEL: 'info', HOME: home })
  await whenReady(without.url)
  const { body } = await client(without.url)('GET', '/v1/collections/emoji')
  t.ok(body.records >= 200 && body.records < 1800, `${body.records} records`)
  without.child.kill('SIGTERM')
  await without.ended
  t.same(
    await readdir(home),
    [],
    'no library leaves an identifier behind, as those that report to their makers do'
  )
})

t.test('what is wrong with the start is said in one line, with exit code 1', async (t) => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ PORT: 'x' }, /PORT/],
    [{ MODEL: 'nowhere' }, /model package .*nowhere does not exist/],
    [{ HOST: '0.0.0.0' }, /ALLOW_ANONYMOUS/]
  ]
  for (const [env, reason] of cases) {
    const service = await startProcess(t, { DATA_DIR: t.testdir(), DEMO: 'false', ...env })
    t.equal(await service.ended, 1)
    const lines = service.output().trim().split('\n')
    t.match(lines.at(-1), reason)
    t.match(lines.at(-1), /^Semblance can't start: /)
  }
})
