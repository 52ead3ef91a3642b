import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { solid } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'

const { url, api } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip,openclip' })
const here = { SEMBLANCE_URL: url }
const colours = ['red', 'green', 'blue']
const records = await Promise.all(
  colours.map(async (colour) => ({
    id: `${colour}.png`,
    text: colour === 'blue' ? '<b>blue</b>\n\u001b[31m"sky"' : colour,
    metadata: { colour },
    image: { base64: (await solid(colour, { width: 500, height: 400 })).toString('base64') }
  }))
)
await api('PUT', '/v1/collections/colours')
await api('POST', '/v1/collections/colours/records', { records })

const run = (...args: string[]) => callCommand(args, here)
const ids = (stdout: string) => JSON.parse(stdout).matches.map(({ id }: { id: string }) => id)

t.test('search by words, pictures and records', async (t) => {
  const file = join(t.testdir(), 'green.png')
  await writeFile(file, await solid('green', { width: 500, height: 400 }))
  const asked = async (body: object) =>
    (await api('POST', '/v1/collections/colours/search', body)).body.matches.map(
      ({ id }: { id: string }) => id
    )
  t.same(
    ids((await run('search', 'something', 'red', '--json')).stdout),
    await asked({ query: { text: 'something red' }, target: 'image' }),
    'the only collection is meant'
  )
  const table = await run('search', '--image', file, '-n', '2')
  t.match(table, {
    code: 0,
    stderr: '',
    stdout: /^SCORE {3}ID {9}TEXT\n1\.0000 {2}green\.png {2}green\n0\.\d{4} {2}[^\n]*\n$/
  })
  t.notMatch((await run('search', 'x')).stdout, '\u001b', 'what records say does not reach the terminal')
  t.same(
    ids((await run('search', '--record', 'red.png', '--target', 'text', '--json', '--exact')).stdout),
    await asked({ query: { record: 'red.png' }, target: 'text', exact: true })
  )
  t.same(
    ids((await run('search', '--image', file, '--minus', 'sky', '--json')).stdout),
    await asked({
      query: [{ image: { base64: (await readFile(file)).toString('base64') } }, { text: 'sky', weight: -0.5 }]
    })
  )
  t.same(ids((await run('search', 'x', '--filter', '{"colour": "blue"}', '--json')).stdout), ['blue.png'])
  t.match(await run('search', 'x', '--filter', '{"colour": "pink"}'), {
    code: 0,
    stdout: "No matches in 'colours'.\n"
  })

  for (const mistake of [
    ['search'],
    ['search', 'x', '-n', '0'],
    ['search', 'x', '--filter', 'colour'],
    ['search', 'x', '--target', 'all']
  ])
    t.match(await run(...mistake), { code: 2, stdout: '' })
  t.match(await run('search', 'x', '-c', 'none'), {
    code: 1,
    stderr: /no collection 'none'; there are colours\./
  })
  t.match(await run('search', '--image', join(t.testdirName, 'none.png')), { code: 1, stderr: /ENOENT/ })
})

t.test('a page of what was found needs nothing else, and runs nothing', async (t) => {
  const sheet = join(t.testdir(), 'found.html')
  t.match(await callCommand(['search', 'blue <sky>', '--sheet', sheet, '--open'], here), {
    code: 0,
    stderr: `Wrote ${sheet}.\n`
  })
  const page = await readFile(sheet, 'utf8')
  t.equal(page.match(/<img alt="[^"]*" src="data:image\/webp;base64,[^"]+">/g)?.length, 3)
  t.match(page, 'blue &lt;sky&gt; in colours')
  t.match(page, '&lt;b&gt;blue&lt;/b&gt;')
  t.notMatch(page, /https?:|<script|<b>/)
  t.match(page, `content="default-src 'none'`)
})

t.test('pictures in terminals that show them', async (t) => {
  const onTerminal = async (env: Record<string, string>, ...args: string[]) =>
    (await callCommand(['search', 'x', '-n', '1', ...args], { ...here, ...env }, { terminal: true })).stdout
  t.match(
    await onTerminal({ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }),
    /\u001b\]1337;File=inline=1;size=\d+;height=8;preserveAspectRatio=1:[A-Za-z0-9+/=]+\u0007/
  )
  t.match(await onTerminal({ TERM: 'xterm-kitty' }), /\u001b_Ga=T,f=100,r=8,q=2,m=0;/)
  t.notMatch(await onTerminal({ TERM: 'xterm-256color' }), '\u001b')
  t.notMatch(await onTerminal({ TERM: 'xterm-kitty' }, '--no-pictures'), '\u001b')
})

t.test('classify', async (t) => {
  const folder = t.testdir({ below: {} })
  for (const name of ['a.png', 'below/b.png']) await writeFile(join(folder, name), await solid('red'))
  await writeFile(join(folder, 'c.jpg'), 'no picture')
  await writeFile(join(folder, 'labels.txt'), 'green\r\n\nblue\n')
  const asked = (
    await api('POST', '/v1/zero-shot', {
      image: { base64: (await solid('red')).toString('base64') },
      labels: ['red', 'green', 'blue'],
      templates: 'simple'
    })
  ).body
  const json = await run(
    'classify',
    folder,
    '--labels',
    'red',
    '--labels-file',
    join(folder, 'labels.txt'),
    '--template',
    'simple',
    '--json'
  )
  t.match(json, { code: 1, stderr: /^semblance: .*c\.jpg: IMAGE_UNSUPPORTED: / })
  const lines = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(lines, [
    { file: /a\.png$/, labels: asked.labels },
    { file: /c\.jpg$/, error: { code: 'IMAGE_UNSUPPORTED' } },
    { file: /below\/b\.png$/, labels: asked.labels }
  ])
  await writeFile(join(folder, 'below/\u001b]0;title\u0007\u202egnp.jpg'), 'no picture')
  t.match(
    (await run('classify', join(folder, 'below'), '-l', 'red')).stderr,
    /^semblance: [^\u001b\u0007\u202e]*\]0;titlegnp\.jpg: FILE: /
  )
  const table = await run(
    'classify',
    join(folder, 'a.png'),
    join(folder, 'below/*.png'),
    '-l',
    'red,green',
    '--top',
    '1',
    '--multi-label',
    '-t',
    'a {label} thing',
    '-t',
    '{label}'
  )
  t.match(table, {
    code: 0,
    stdout:
      /^FILE +SCORE +LABEL\n[^\n]*a\.png +[01]\.\d{4} +(red|green)\n[^\n]*b\.png +[01]\.\d{4} +(red|green)\n$/
  })
  t.match(await run('classify', join(folder, 'a.png')), { code: 2, stderr: /--labels cat,dog/ })
  const examples = await Promise.all(
    ['red', 'crimson', 'blue', 'navy'].map(async (colour, i) => ({
      label: i < 2 ? 'warm' : 'cold',
      image: { base64: (await solid(colour)).toString('base64') }
    }))
  )
  await api('PUT', '/v1/classifiers/warmth', { examples })
  t.match(await run('classify', join(folder, 'a.png'), '--classifier', 'warmth', '--top', '1'), {
    code: 0,
    stdout: /^FILE +SCORE +LABEL\n[^\n]*a\.png +0\.\d{4} +(warm|cold)\n$/
  })
  t.match(await run('classify', join(folder, 'a.png'), '--classifier', 'warmth', '-l', 'red'), {
    code: 2,
    stderr: /has its own labels/
  })
  t.match(await run('classify', join(folder, 'a.png'), '--classifier', 'none'), {
    code: 1,
    stderr: /CLASSIFIER_NOT_FOUND/
  })
  t.match(await run('classify', join(folder, 'a.png'), '-l', 'a,a'), { code: 1, stderr: /LABELS_INVALID/ })
  t.match(await run('classify', join(folder, 'none'), '-l', 'a'), {
    code: 2,
    stdout: '',
    stderr: /does not exist/
  })
  const some = await run('classify', join(folder, 'none'), join(folder, 'a.png'), '-l', 'red', '--json')
  t.match(some, { code: 1, stderr: /^semblance: .*none: FILE: .*none does not exist\.\n$/ })
  t.match(
    some.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { file: join(folder, 'none'), error: { code: 'FILE' } },
      { file: join(folder, 'a.png'), labels: [{ label: 'red' }] }
    ],
    'what is there is classified all the same'
  )
})

t.test('collections and snapshots', async (t) => {
  t.match(await run('collections', 'create', 'mine', '--no-model', '--dimension', '3', '--storage', 'none'), {
    code: 0,
    stdout: /^name +mine\nrecords +0, .*\nmodel +none: /
  })
  t.match(await run('collections', 'create', 'mine', '--dimension', '3'), {
    code: 2,
    stderr: /must be used together/
  })
  t.match(
    JSON.parse(
      (await run('collections', 'create', 'other', '--model', 'openclip', '--ef-search', '99', '--json'))
        .stdout
    ),
    { model: 'openclip', hnsw: { ef_search: 99 } }
  )
  t.match(await run('collections', 'list'), {
    code: 0,
    stdout:
      /^NAME +RECORDS +IMAGES +TEXTS +MODEL +SIZE\ncolours +3 +3 +3 +clip .*\nmine +0 +0 +0 +- .*\nother /
  })
  t.match(
    JSON.parse((await run('collections', 'list', '--json')).stdout).collections.map(
      ({ name }: { name: string }) => name
    ),
    ['colours', 'mine', 'other']
  )
  t.match(await run('snapshot', 'colours'), {
    code: 0,
    stdout: /^GRAPH +RECORDS +SIZE +TOOK\nimage +3 .*\ntext +3 /
  })
  t.match(await run('collections', 'show', 'colours'), { stdout: /\nsnapshots +image .*, text / })
  t.match(await run('snapshot', 'none'), { code: 1, stderr: /COLLECTION_NOT_FOUND/ })
  t.match(await run('collections', 'reindex', 'colours', '--model', 'openclip'), {
    code: 0,
    stdout: "Re-indexed 'colours' with openclip: 3 records.\n"
  })
  t.equal((await api('GET', '/v1/collections/colours')).body.model, 'openclip')
  t.match(await run('collections', 'reindex', 'colours', '--model', 'none'), { code: 1, stderr: /none/ })
  t.match(await run('collections', 'drop', 'mine'), { code: 2, stderr: /--yes/ })
  t.match(await run('collections', 'drop', 'mine', '--yes'), {
    code: 0,
    stdout: "Dropped 'mine' with 0 records.\n"
  })
  t.match(await run('collections', 'drop', 'mine', '--yes'), { code: 1, stderr: /no collection 'mine'/ })
  t.equal((await api('GET', '/v1/collections/mine')).status, 404)
})

t.test('completion', async (t) => {
  const complete = async (...words: string[]) =>
    (await callCommand(['__complete', '--', ...words])).stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t')[0])
  t.same(await complete('coll'), ['collections'])
  t.same(await complete('collections', 're'), ['reindex'])
  t.same(await complete('search', '--target', ''), ['image', 'text', 'record'])
  t.same(await complete('search', 'a dog', '--li'), ['--limit'])
  t.same(await complete('index', ''), [], "files are the shell's")
  t.same(await complete('completion', 'z'), ['zsh'])
  t.notOk((await complete('')).includes('__complete'))
  t.match(await callCommand(['completion', 'tcsh']), { code: 2, stderr: /bash, zsh, fish/ })
})

t.test('every command says by help how it is used', async (t) => {
  for (const command of [
    'search',
    'classify',
    'snapshot',
    'completion',
    'collections list',
    'collections reindex'
  ]) {
    t.match(await callCommand([...command.split(' '), '--help']), {
      code: 0,
      stdout: new RegExp(`Examples:\\n {2}\\$ .*semblance ${command}`)
    })
  }
  t.match(await callCommand(['--help']), { code: 0, stdout: /Exit codes:\n/ })
  t.match(await callCommand([]), { code: 2 })
})
