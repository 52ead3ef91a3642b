import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { createClient } from '../../../src/client/client.js'
import { solid } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

t.test('the examples run as they stand', async (t) => {
  const folder = t.testdir({ data: {}, pictures: { alps: {} } })
  const { url, api } = await testServer(t, {
    DATA_DIR: `${folder}/data`,
    MODELS_DIR: 'test/fixtures/towers',
    MODELS: 'clip,openclip'
  })
  const ran = new Set<string>()
  /** What an example prints. */
  const example = async (
    name: string,
    ...values: string[]
  ): Promise<{ out: string; problems: string; code: number }> => {
    ran.add(`${name}.js`)
    const {
      stdout: out,
      stderr: problems,
      code = 0
    } = await promisify(execFile)(process.execPath, [`examples/${name}.js`, ...values], {
      cwd: root,
      env: { PATH: process.env.PATH, SEMBLANCE_URL: url }
    }).catch((error) => error)
    return { out: out.trim(), problems, code }
  }

  await t.test('a folder of pictures', async (t) => {
    const pictures = `${folder}/pictures`
    for (const [path, color] of [
      ['red.png', 'red'],
      ['blue.png', 'blue'],
      ['alps/green.PNG', 'green']
    ])
      await writeFile(`${pictures}/${path}`, await solid(color))
    t.same(await example('ingest-folder', pictures, 'holiday'), {
      out: '3 created, 0 updated, 0 failed',
      problems: '',
      code: 0
    })
    t.match(
      (await api('GET', `/v1/collections/holiday/records/${encodeURIComponent('alps/green.PNG')}`)).body,
      { metadata: { folder: 'alps' } }
    )
    await writeFile(`${pictures}/broken.png`, 'no picture')
    await writeFile(`${pictures}/notes.txt`, 'no picture either')
    const again = await example('ingest-folder', pictures, 'holiday')
    t.match(again, { out: '0 created, 3 updated, 1 failed', code: 0 })
    t.match(again.problems, /^broken\.png: /)
    t.match(await example('ingest-folder', `${folder}/nowhere`, 'holiday'), { problems: /ENOENT/, code: 1 })
  })

  await t.test('searches by words and by a picture', async (t) => {
    const found = await example(
      'search',
      '--collection',
      'holiday',
      '--limit',
      '1',
      `${folder}/pictures/blue.png`
    )
    t.match(found.out, /^1\.000 {2}blue\.png .*\n1 matches in \d+ ms$/)
    t.match((await example('search', '--collection', 'holiday', 'a', 'blue', 'wall')).out, /\n3 matches in/)
    t.match(await example('search', '--collection', 'nowhere', 'x'), {
      problems: /SemblanceError: There is no collection 'nowhere'/,
      code: 1
    })
    t.match(await example('search'), { problems: /What is searched for/, code: 1 })
  })

  await t.test('labels of a picture', async (t) => {
    const { out, code } = await example(
      'zero-shot',
      `${folder}/pictures/red.png`,
      'red',
      'a dog',
      'polar bear'
    )
    t.equal(code, 0)
    const lines = out.split('\n')
    t.same(lines.map((line) => /% {2}(.*) \(/.exec(line)?.[1]).sort(), ['a dog', 'polar bear', 'red'])
    const shares = lines.map((line) => parseFloat(line))
    t.ok(
      Math.abs(shares.reduce((sum, share) => sum + share) - 100) < 0.5 && shares[0] >= shares[2],
      'shares of the whole, the largest first'
    )
  })

  await t.test('a load, and the rest of one', async (t) => {
    const file = `${folder}/records.ndjson`
    const lines = Array.from({ length: 200 }, (_, i) => JSON.stringify({ id: `r${i}`, text: `text ${i}` }))
    await writeFile(file, lines.join('\n'))
    await api('PUT', '/v1/collections/texts')
    const idempotencyKey = `file-${createHash('sha256').update(lines.join('\n')).digest('hex')}`
    for await (const { line } of createClient({ url }).bulk(
      'texts',
      lines.map((each) => JSON.parse(each)),
      { idempotencyKey }
    ))
      if (line === 40) break
    const { out, code } = await example('bulk-load', file, 'texts')
    t.equal(code, 0)
    const [, created, skipped] = /^(\d+) created, 0 updated, (\d+) skipped, 0 failed$/.exec(out) ?? []
    t.ok(
      Number(skipped) >= 40 && Number(created) + Number(skipped) === 200,
      `what was left of the load: ${out}`
    )
    t.match(
      await example('bulk-load', file, 'texts'),
      { out: '0 created, 0 updated, 200 skipped, 0 failed', code: 0 },
      'a load that is done'
    )
    await writeFile(file, `${lines.slice(0, 3).join('\r\n')}\r\n\r\n{"id": "bad"}\r\n`)
    const other = await example('bulk-load', file, 'texts')
    t.match(other, { out: '0 created, 3 updated, 0 skipped, 1 failed', code: 0 })
    t.match(other.problems, /^record 4: /)
  })

  await t.test('another model', async (t) => {
    const { out, code } = await example('reindex', 'texts', 'openclip')
    t.equal(code, 0)
    t.equal(out.split('\n').at(-1), 'done: 200 of 200 records with openclip')
    t.match((await api('GET', '/v1/collections/texts')).body, { model: 'openclip', records: 200 })
    t.match(await example('reindex', 'texts', 'nothing'), { problems: /SemblanceError/, code: 1 })
  })

  t.same([...ran].sort(), (await readdir(`${root}/examples`)).sort(), 'every example ran')
})
