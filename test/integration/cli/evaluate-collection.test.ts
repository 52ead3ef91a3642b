import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { colourRecords } from '../../fixtures/evaluations.js'
import { testServer } from '../../fixtures/server.js'

t.test('a collection of a service is evaluated from the command line', async (t) => {
  const folder = t.testdir({ data: {} })
  const { api, url } = await testServer(t, {
    DATA_DIR: join(folder, 'data'),
    MODELS_DIR: 'test/fixtures/towers',
    MODELS: 'clip'
  })
  await api('PUT', '/v1/collections/walls')
  await api('POST', '/v1/collections/walls/records', { records: await colourRecords(12) })
  const evaluate = (...options: string[]) => callCommand(['evaluate', '--url', url, ...options])

  const done = await evaluate(
    '-c',
    'walls',
    '--tasks',
    'retrieval',
    '--resamples',
    '100',
    '--json',
    join(folder, 'report.json'),
    '--html',
    join(folder, 'report.html')
  )
  t.match(done, { code: 0, stdout: /walls[^]*recall@1/ }, 'a table')
  t.match(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')), {
    version: 1,
    datasets: [{ name: 'walls', kind: 'collection' }]
  })
  t.match(await readFile(join(folder, 'report.html'), 'utf8'), /^<!doctype html>/)
  t.match(
    (await api('GET', '/v1/evaluations')).body.evaluations,
    [{ collection: 'walls', state: 'done' }],
    'the service keeps it'
  )

  const wrong: [string[], number, RegExp][] = [
    [
      ['-c', 'walls', '--label-field', 'none', '--quiet'],
      2,
      /No record of 'walls' has an image and a single value in the field 'none'/
    ],
    [['-c', 'walls', '--against', 'clip'], 2, /--against can't be used with --collection/],
    [['-c', 'walls', '--cache', folder], 2, /--cache can't be used with --collection/],
    [['-c', 'walls', '--no-cache'], 2, /--no-cache can't be used with --collection/],
    [['-c', 'walls', 'folder'], 2, /can't be evaluated in one/],
    [['-c', 'nowhere'], 1, /There is no collection 'nowhere'/],
    [[], 2, /name a dataset, or a collection/]
  ]
  const off: object[] = []
  for (const [options, code, said] of wrong) {
    const ended = await evaluate(...options)
    if (ended.code !== code || !said.test(ended.stderr)) off.push({ options, ...ended })
  }
  t.same(off, [])
})
