import t, { type Test } from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { solid } from '../../fixtures/images.js'
import { answers, fillCollection, listing } from '../../fixtures/mixed-collection.js'
import { testServer } from '../../fixtures/server.js'

const { url, api } = await testServer(t)
const here = { SEMBLANCE_URL: url }

/** Exports a collection and makes another of it, as a pipe between two commands does. */
async function copy(from: string, to: string, ...args: string[]) {
  const exported = await callCommand(['export', from, ...args], here)
  const stdin = exported.stdout
  const indexed = await callCommand(['index', '-', '-c', to, '--json'], here, { stdin })
  return {
    export: { code: exported.code, stderr: exported.stderr, lines: exported.stdout },
    index: { code: indexed.code, ...JSON.parse(indexed.stdout) }
  }
}

const timeless = (record: Record<string, unknown>) => ({ ...record, created_at: null, updated_at: null })
const records = async (name: string) => (await listing(api, name)).map(timeless)

type Found = Record<string, { id: string; score: number }[]>

/** Asserts that exact searches of two collections find the same records with equal scores. */
function sameAnswers(t: Test, found: Found, expected: Found): void {
  const scores = (matches: Found[string]) => new Map(matches.map(({ id, score }) => [id, score]))
  const off: string[] = []
  for (const kind of Object.keys(expected).filter((name) => name.endsWith('exact'))) {
    const [is, should] = [scores(found[kind]), scores(expected[kind])]
    if (is.size !== should.size) off.push(`${kind}: ${is.size} matches for ${should.size}`)
    for (const [id, score] of should)
      if (!(Math.abs((is.get(id) ?? NaN) - score) < 1e-5))
        off.push(`${kind} ${id}: ${is.get(id)} for ${score}`)
  }
  t.same(off, [])
}

const metadata = {
  text: 'ünïcode 🥕',
  empty: '',
  whole: 2 ** 53 - 1,
  negative: -0.5,
  tiny: 1e-300,
  yes: true,
  no: false,
  nothing: null,
  list: ['a', 1, null, true],
  nested: { deep: [{ deeper: { deepest: 1 } }] },
  'a key.with $signs': 1,
  image: { base64: 'no image' }
}
const expires = '2099-01-31T12:00:00.000Z'

t.test('what export writes and index reads is the same collection', async (t) => {
  await fillCollection(api, 'all')
  const odd = ['a/b/c', '..', '%2F', '#x?y=1', ' spaced ', 'quo\'te"s', '\u2028', 'é', '-c', '1'].map(
    (id) => ({ id, text: `text of ${id}`, metadata, expires_at: expires })
  )
  const vector = Array.from({ length: 256 }, (_, i) => Math.sin(i + 1))
  const brought = [
    { id: 'brought image', embeddings: { image: vector } },
    { id: 'brought text', embeddings: { text: vector }, metadata }
  ]
  t.match(
    (await api('POST', '/v1/collections/all/records', { records: [...odd, ...brought] })).body.results.filter(
      ({ status }: { status: string }) => status !== 'created'
    ),
    []
  )
  const expected = await records('all')
  const done = await copy('all', 'all-copy')
  t.match(done.export, { code: 0, stderr: /2 of the records include embeddings of the model 'mini'/ })
  t.match(done.index, { code: 0, failed: 0, created: expected.length })
  t.same(await records('all-copy'), expected)
  sameAnswers(t, await answers(api, 'all-copy'), await answers(api, 'all'))
})

for (const storage of ['thumbnail', 'none']) {
  t.test(`of images that are kept as ${storage} the embeddings come along`, async (t) => {
    await api('PUT', `/v1/collections/${storage}`, { storage })
    const sent = await Promise.all(
      ['red', 'green', 'blue'].map(async (colour, i) => ({
        id: colour,
        ...(i > 0 && { text: `a ${colour} thing` }),
        image: { base64: (await solid(colour, { width: 900, height: 700 })).toString('base64') }
      }))
    )
    await api('POST', `/v1/collections/${storage}/records`, { records: sent })
    const done = await copy(storage, `${storage}-copy`)
    t.match(done.export, { code: 0, stderr: /3 of the records include embeddings/ })
    t.match(done.index, { code: 0, failed: 0, created: 3 })
    t.same(await records(`${storage}-copy`), await records(storage))
    const search = async (name: string) =>
      (
        await api('POST', `/v1/collections/${name}/search`, {
          query: { text: 'red' },
          target: 'image',
          exact: true
        })
      ).body.matches
    sameAnswers(t, { exact: await search(`${storage}-copy`) }, { exact: await search(storage) })
  })
}

t.test('embeddings of a collection without a model come along', async (t) => {
  for (const name of ['own', 'own-copy'])
    await api('PUT', `/v1/collections/${name}`, { model: null, dimension: 3 })
  await api('POST', '/v1/collections/own/records', {
    records: [
      { id: 'x', embeddings: { image: [1, 2, 3] } },
      { id: 'y', text: 'words', embeddings: { image: [3, 2, 1], text: [0, 1, 0] } }
    ]
  })
  const done = await copy('own', 'own-copy')
  t.match(done.export, { code: 0, stderr: /'own' has no model: .*--no-model --dimension 3/ })
  t.match(done.index, { code: 0, created: 2, failed: 0 })
  t.same(await records('own-copy'), await records('own'))
  const search = async (name: string) =>
    (
      await api('POST', `/v1/collections/${name}/search`, {
        query: { embedding: [1, 1, 0] },
        target: 'record',
        exact: true
      })
    ).body.matches
  sameAnswers(t, { exact: await search('own-copy') }, { exact: await search('own') })
})

t.test('what is left out is said', async (t) => {
  await api('PUT', '/v1/collections/pictures')
  await api('POST', '/v1/collections/pictures/records', {
    records: [
      { id: 'a', image: { base64: (await solid('red')).toString('base64') } },
      { id: 'b', text: 'words' }
    ]
  })
  const without = await callCommand(['export', 'pictures', '--no-images'], here)
  t.match(without, {
    code: 0,
    stdout: '{"id":"a"}\n{"id":"b","text":"words"}\n',
    stderr:
      "semblance: 1 images of 'pictures' are not in the export; leave out --no-images to include them.\n"
  })
  t.equal((await callCommand(['export', 'pictures', '--no-images', '-q'], here)).stderr, '')
  const file = `${t.testdir()}/pictures.ndjson`
  t.match(await callCommand(['export', 'pictures', '--no-images', '-o', file], here), {
    code: 0,
    stderr: /1 images of 'pictures' are not in the export/
  })
  t.match(await callCommand(['export', 'pictures'], here), {
    code: 0,
    stdout: /"image":\{"base64"/,
    stderr: ''
  })
  t.match((await api('GET', '/v1/collections/pictures/export')).headers.get('semblance-kept-images'), '1')
  t.match(await callCommand(['export', 'nowhere'], here), {
    code: 1,
    stderr: /There is no collection 'nowhere'/
  })
})
