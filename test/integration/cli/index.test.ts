import { mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { closedPort } from '../../fixtures/command.js'
import { solid } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'

const { url, api } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip' })
const here = { SEMBLANCE_URL: url }

/** What a run counted. */
async function index(...args: string[]) {
  const { code, stdout, stderr } = await callCommand(['index', ...args, '--json'], here)
  return { code, stderr, ...(stdout && JSON.parse(stdout)) }
}

/** A folder of pictures; what is a string is a file of text. */
async function folder(t: Test, files: Record<string, string | Buffer>): Promise<string> {
  const root = t.testdir()
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}

const record = async (collection: string, id: string) =>
  (await api('GET', `/v1/collections/${collection}/records/${encodeURIComponent(id)}`)).body

t.test('a folder, again, and after changes', async (t) => {
  const root = await folder(t, {
    'a.png': await solid('red'),
    'b/c.PNG': await solid('green'),
    'b/broken.jpg': 'no picture',
    'b/.hidden.png': await solid('blue'),
    'notes.md': 'x',
    'x.heic': 'x'
  })
  const first = await index(root, '-c', 'folder')
  t.match(first, {
    code: 1,
    collection: 'folder',
    created: 2,
    updated: 0,
    unchanged: 0,
    failed: 1,
    passed_over: { '.heic': 1 },
    failures: [{ name: relative('', join(root, 'b/broken.jpg')), code: 'IMAGE_UNSUPPORTED' }]
  })
  t.match(first.stderr, /^semblance: .*b\/broken\.jpg: IMAGE_UNSUPPORTED: [^\n]*\n$/)
  t.match(await record('folder', 'b/c.PNG'), {
    id: 'b/c.PNG',
    text: null,
    modalities: ['image'],
    metadata: { file: { size: (await solid('green')).length, modified_at: /^20.*Z$/ } }
  })
  await unlink(join(root, 'b/broken.jpg'))
  t.match(await index(root, '-c', 'folder'), {
    code: 0,
    created: 0,
    updated: 0,
    unchanged: 2,
    failed: 0,
    stderr: ''
  })

  await writeFile(join(root, 'a.png'), await solid('yellow', { width: 40 }))
  await writeFile(join(root, 'b/c.TXT'), ' something green \n')
  t.match(await index(root, '-c', 'folder'), { code: 0, created: 0, updated: 2, unchanged: 0 })
  t.match(await record('folder', 'b/c.PNG'), { text: 'something green', modalities: ['image', 'text'] })
  await utimes(join(root, 'a.png'), 1e9, 1e9)
  t.match(await index(root, '-c', 'folder'), { updated: 1, unchanged: 1 })

  // A text that was given to a record whose image has none stays, also where the image is another.
  await api('PATCH', '/v1/collections/folder/records/a.png', {
    text: 'yellow',
    metadata: { by: 'hand', long: 'x'.repeat(5000) }
  })
  await writeFile(join(root, 'a.png'), await solid('yellow', { width: 50 }))
  t.match(await index(root, '-c', 'folder'), { updated: 1, unchanged: 1 })
  t.match(await index(root, '-c', 'folder'), { updated: 0, unchanged: 2 })
  t.match(await index(root, '-c', 'folder', '--all'), { updated: 2, unchanged: 0 })
  t.match(await record('folder', 'a.png'), {
    text: 'yellow',
    metadata: { by: 'hand', file: { size: (await solid('yellow', { width: 50 })).length } }
  })
})

t.test('what is gone is pruned, below the prefix only, and not where something hides', async (t) => {
  const root = await folder(t, {
    'a.png': await solid('red'),
    'b.png': await solid('green'),
    'closed/c.png': await solid('blue')
  })
  t.match(await index(root, '-c', 'pruned', '--prefix', 'one/'), { created: 3 })
  t.match(await index(root, '-c', 'pruned', '--prefix', 'two/'), { created: 3 })
  await api('POST', '/v1/collections/pruned/records', {
    records: [{ id: 'one/own', text: 'from elsewhere' }]
  })
  await unlink(join(root, 'a.png'))
  t.match(await index(root, '-c', 'pruned', '--prefix', 'one/'), { unchanged: 2, removed: 0 })
  t.match(await index(root, '-c', 'pruned', '--prefix', 'one/', '--prune'), {
    code: 0,
    unchanged: 2,
    removed: 1
  })
  const { records } = (await api('GET', '/v1/collections/pruned/records')).body
  t.same(
    records.map(({ id }: { id: string }) => id),
    ['one/b.png', 'one/closed/c.png', 'one/own', 'two/a.png', 'two/b.png', 'two/closed/c.png']
  )
  await rm(join(root, 'b.png'))
  await rm(join(root, 'closed'), { recursive: true })
  t.match(await index(root, '-c', 'pruned', '--prefix', 'one/', '--prune'), {
    code: 1,
    stderr: /Nothing was pruned: the folder has no image, and 2 records would be deleted/
  })
  t.equal((await api('GET', '/v1/collections/pruned')).body.records, 6)
  t.match(await index(root, '-c', 'pruned', '--prefix', 'none/', '--prune'), { removed: 0 })
  t.match(await index(root, '-c', 'pruned', '--prefix', 'one', '--prune'), {
    code: 2,
    stderr: /--prefix that ends with a separator, such as 'one\/'/
  })
})

t.test('what may be there is not pruned', async (t) => {
  const root = await folder(t, {
    'a.png': await solid('red'),
    'disk/deep/b.png': await solid('green'),
    'c.png': await solid('blue'),
    'metadata.jsonl': '{"file_name": "c.png", "id": "own"}\n'
  })
  const pruned = (...args: string[]) => index(root, '-c', 'doubtful', '--prune', ...args)
  t.match(await pruned(), { code: 0, created: 3 })
  await writeFile(join(root, 'metadata.jsonl'), '{"file_name": "c.png", "id": "own"\n')
  t.match(await pruned(), {
    code: 1,
    stderr: /Nothing was pruned, because not everything could be read: 1 records/
  })
  await writeFile(join(root, 'metadata.jsonl'), '{"file": "c.png", "id": "own"}\n{"name": "other"}\n')
  t.match(await pruned(), { code: 1, stderr: /jsonl:2: The row has no file_name/ })
  await rm(join(root, 'metadata.jsonl'))

  await rename(join(root, 'disk'), `${root}-elsewhere`)
  t.teardown(() => rm(`${root}-elsewhere`, { recursive: true, force: true }))
  await mkdir(join(root, 'disk'))
  t.match(
    await pruned(),
    {
      code: 1,
      removed: 1,
      stderr: /1 records of files in 'disk\/' were not pruned: the folder has no images any more.*use --yes/
    },
    'all others are'
  )
  await rm(join(root, 'disk'), { recursive: true })
  await symlink(`${root}-elsewhere`, join(root, 'disk'))
  t.match(await pruned(), { code: 0, unchanged: 3, removed: 0 }, 'a link is followed')
  await unlink(join(root, 'disk'))
  t.match(await pruned(), { code: 1, removed: 0 })
  t.match(await pruned('--yes'), { code: 0, unchanged: 2, removed: 1 })
})

t.test('links, what is left out, and failures that are allowed', async (t) => {
  const root = await folder(t, {
    'a.png': await solid('red'),
    '@eaDir/a.png': await solid('red'),
    'b/#recycle/x.png': await solid('red'),
    'b/b-thumb.png': await solid('green'),
    'b/b.png': await solid('green'),
    'private/c.png': await solid('blue'),
    'notes.md': 'x',
    'b/other.MD': 'x',
    README: 'x',
    'broken.png': 'no picture'
  })
  const elsewhere = `${root}-outside`
  t.teardown(() => rm(elsewhere, { recursive: true, force: true }))
  await mkdir(join(elsewhere, 'deep'), { recursive: true })
  await writeFile(join(elsewhere, 'deep/d.png'), await solid('yellow'))
  await symlink(root, join(elsewhere, 'deep/back'))
  await symlink(elsewhere, join(root, 'linked'))
  await symlink(elsewhere, join(root, 'linked-again'))
  await symlink(join(root, 'b'), join(root, 'inside'))
  const ids = async (collection: string) =>
    (await api('GET', `/v1/collections/${collection}/records`)).body.records.map(
      ({ id }: { id: string }) => id
    )
  const args = [root, '-c', 'excluded', '--exclude', '*-thumb.png', '--exclude', 'private/']
  t.match(await index(...args, '--max-failures', '1'), {
    code: 0,
    created: 3,
    failed: 1,
    unknown: { '.md': 2, README: 1 }
  })
  t.same(await ids('excluded'), ['a.png', 'b/b.png', 'linked/deep/d.png'])
  t.match(await index(...args), { code: 1, unchanged: 3, failed: 1 })
  t.match(await callCommand(['index', ...args], here), {
    stdout: /Skipped files of unsupported types: 1 README, 2 \.md\./
  })
  await index(root, '-c', 'everything', '--no-default-excludes')
  t.same(await ids('everything'), [
    '@eaDir/a.png',
    'a.png',
    'b/#recycle/x.png',
    'b/b-thumb.png',
    'b/b.png',
    'linked/deep/d.png',
    'private/c.png'
  ])
  t.match(await index(join(root, 'a.png'), '--exclude', 'x'), {
    code: 2,
    stderr: /--exclude can only be used with a folder/
  })
})

t.test('captions as imagefolder has them, and labels', async (t) => {
  const root = await folder(t, {
    'metadata.jsonl':
      '{"file_name": "a.png", "text": "from the table", "year": 2020}\n{"file_name": "cat/b.png", ' +
      '"caption": "below"}\nbroken\n{"file_name": "gone.png"}\n',
    'a.png': await solid('red'),
    'a.txt': 'not this',
    'cat/b.png': await solid('green'),
    'cat/metadata.csv': 'file_name,text,tags\n"c.png","a text, with a comma","x"\n',
    'cat/c.png': await solid('blue')
  })
  const run = await index(root, '-c', 'captions', '--label')
  t.match(run, { code: 1, created: 3, failed: 2 })
  t.match(
    run.failures.map(({ name, message }: { name: string; message: string }) => `${name} ${message}`).sort(),
    [
      /metadata\.jsonl:3 The line is not a row in JSON/,
      /^gone\.png The metadata of the folder names this file/
    ]
  )
  t.match(await record('captions', 'a.png'), { text: 'from the table', metadata: { year: 2020 } })
  t.match(await record('captions', 'cat/b.png'), { text: 'below', metadata: { label: 'cat' } })
  t.match(await record('captions', 'cat/c.png'), {
    text: 'a text, with a comma',
    metadata: { label: 'cat', tags: 'x' }
  })
})

t.test('tables, wildcards, single images and lines', async (t) => {
  const root = await folder(t, {
    'a.png': await solid('red'),
    'deep/b.png': await solid('green'),
    'deep/c.jpg': 'not asked for',
    'shop.csv':
      '\uFEFFimage,title,price\r\na.png,a red thing,12\r\n,a thing without a picture,1\r\nmissing.png,,3\r\n',
    'ids.csv': 'id,text\n7,seven\n8,eight\n',
    'lines.ndjson':
      '{"id": "one", "text": "uno"}\n{"id": "two", "txt": "dos"}\n\n{"id": "three", "text": "tres"}\n'
  })
  const csv = await index(join(root, 'shop.csv'), '-c', 'shop', '--text-column', 'title')
  t.match(csv, { code: 1, created: 1, failed: 2 })
  t.match(csv.stderr, /shop\.csv:3: The row has neither an id nor a file/)
  t.match(csv.stderr, /missing\.png: ENOENT/)
  t.match(await record('shop', 'a.png'), {
    text: 'a red thing',
    modalities: ['image', 'text'],
    metadata: { price: 12 }
  })
  t.match(await index(join(root, 'ids.csv'), '-c', 'shop'), { code: 0, created: 2 })
  t.match(await index(join(root, 'ids.csv'), '-c', 'shop'), { code: 0, created: 0, unchanged: 2 })
  await writeFile(join(root, 'odd.csv'), 'id,text\n1,one\n1,again\n2,two,and more\n3,three\n4,"open\n')
  const odd = await index(join(root, 'odd.csv'), '-c', 'shop', '--prefix', 'odd/')
  t.match(odd, { code: 1, created: 2, failed: 3 })
  for (const reason of [
    /The id is the same as that of 'odd\/1'/,
    /odd\.csv:4: The row can't be read: .*got 3/,
    /odd\.csv:\d: The row can't be read: Quote Not Closed/
  ])
    t.match(odd.stderr, reason)
  t.match(await index(join(root, '**/*.png'), '-c', 'wild'), { code: 0, created: 2, failed: 0 })
  t.match(await record('wild', 'deep/b.png'), { id: 'deep/b.png' })
  await writeFile(join(root, 'deep/metadata.jsonl'), 'broken')
  t.match(
    await index(join(root, '*.png'), '-c', 'wild'),
    { code: 0, unchanged: 1, failed: 0 },
    'what lies below is not read'
  )
  for (const one of ['*/*.png', '{deep/b,c/d/e}.png', '{a,deep/**/b}.png'])
    t.match(await index(join(root, one), '-c', 'wild'), { code: 1, created: 0, failed: 1 })
  await unlink(join(root, 'deep/metadata.jsonl'))
  t.match(await index(join(root, 'a.png'), join(root, 'deep/b.png'), '-c', 'single'), { code: 0, created: 2 })
  t.match(await record('single', relative('', join(root, 'a.png'))), { modalities: ['image'] })

  const lines = await index(join(root, 'lines.ndjson'), '-c', 'lines')
  t.match(lines, {
    code: 1,
    created: 2,
    failed: 1,
    failures: [{ name: `${join(root, 'lines.ndjson')}:2`, code: 'RECORD_INVALID' }]
  })
  t.match(
    await index(join(root, 'lines.ndjson'), '-c', 'lines'),
    { code: 1, created: 0, unchanged: 2, failed: 1 },
    'the same file is nothing to do, and what failed is told again'
  )
  t.match(await index(join(root, 'lines.ndjson'), '-c', 'lines', '--all'), {
    code: 1,
    created: 0,
    updated: 2,
    failed: 1
  })
  const stdin = '{"id": "x", "text": "from a pipe"}\n'
  const piped = await callCommand(['index', '-', '-c', 'piped', '--json'], here, { stdin })
  t.match(JSON.parse(piped.stdout), { created: 1 })
})

t.test('text with a byte order mark, text that is not UTF-8, and the types of cells', async (t) => {
  const lines = '{"id": "one", "text": "café"}\n{"id": "two", "text": "deux"}\n'
  const root = await folder(t, {
    'mark.ndjson': `\uFEFF${lines}`,
    'utf16.ndjson': Buffer.from(`\uFEFF${lines}`, 'utf16le'),
    'latin1.ndjson': Buffer.concat([
      Buffer.from('{"id": "bad", "text": "caf\xe9"}\n', 'latin1'),
      Buffer.from(lines)
    ]),
    'latin1.csv': Buffer.from('id,text,price\n1,caf\xe9,2\n2,tea,3\n', 'latin1'),
    'shop.csv': 'id,text,price,zip,new\nx1,tea,2.5,00123,true\nx2,coffee,12,10115,false\nx3,water,,10115,\n',
    'pictures/a.png': await solid('red'),
    'pictures/a.txt': Buffer.from('\uFEFFa red thing', 'utf16le'),
    'pictures/b.png': await solid('green'),
    'pictures/metadata.csv': '\uFEFFfile_name,price\nb.png,7\n'
  })
  for (const name of ['mark.ndjson', 'utf16.ndjson'])
    t.match(await index(join(root, name), '-c', 'encodings'), { code: 0, failed: 0 }, name)
  t.match(await record('encodings', 'one'), { text: 'café' })
  t.match(await index(join(root, 'latin1.ndjson'), '-c', 'encodings'), {
    code: 1,
    updated: 2,
    failed: 1,
    stderr: /latin1\.ndjson:1: .*not UTF-8/
  })
  t.match(await index(join(root, 'latin1.csv'), '-c', 'encodings'), {
    code: 1,
    created: 1,
    failed: 1,
    stderr: /latin1\.csv:2: The column 'text' is not UTF-8/
  })
  t.equal((await record('encodings', '1')).error.code, 'RECORD_NOT_FOUND')

  t.match(await index(join(root, 'shop.csv'), '-c', 'typed'), { code: 0, created: 3 })
  t.same((await record('typed', 'x1')).metadata, { price: 2.5, zip: '00123', new: true })
  t.same((await record('typed', 'x3')).metadata, { zip: '10115' })
  const { body } = await api(
    'GET',
    `/v1/collections/typed/records?filter=${encodeURIComponent('{"price": {"$gt": 10}}')}`
  )
  t.same(
    body.records.map(({ id }: { id: string }) => id),
    ['x2']
  )
  t.match(await index(join(root, 'shop.csv'), '-c', 'typed'), { code: 0, unchanged: 3 })
  t.match(await index(join(root, 'shop.csv'), '-c', 'strings', '--strings', '--types', 'price=number'), {
    code: 0,
    created: 3
  })
  t.same((await record('strings', 'x1')).metadata, { price: 2.5, zip: '00123', new: 'true' })
  t.match(await index(join(root, 'shop.csv'), '-c', 'strings', '--types', 'zip=number'), {
    code: 1,
    failed: 1,
    stderr: /shop\.csv:2: The column 'zip' has the value '00123', which is not a number/
  })
  t.match(await index(join(root, 'shop.csv'), '-c', 'strings', '--types', 'prize=number'), {
    code: 1,
    failed: 1,
    stderr: /No row has a value in the column 'prize'/
  })
  t.match(await index(join(root, 'shop.csv'), '--types', 'zip=text'), { code: 2, stderr: /'zip=string'/ })
  t.match(await index(join(root, 'mark.ndjson'), '--strings'), {
    code: 2,
    stderr: /can't be used with --strings/
  })
  t.match(await index(join(root, 'pictures'), '-c', 'pictures'), { code: 0, created: 2 })
  t.match(await record('pictures', 'a.png'), { text: 'a red thing' })
  t.match(await record('pictures', 'b.png'), { metadata: { price: 7 } })
})

t.test('what cannot be read is told, and leaves the rest be', async (t) => {
  const root = await folder(t, {
    'a.png': await solid('red'),
    'b.png': await solid('green'),
    'b.txt': Buffer.from([0x66, 0xff]),
    'loop/c.png': await solid('blue')
  })
  await writeFile(
    Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff]), Buffer.from('.png')]),
    await solid('red')
  )
  await writeFile(join(root, `${'x'.repeat(250)}.png`), await solid('red'))
  await writeFile(join(root, 'two\nlines.png'), await solid('red'))
  await symlink(root, join(root, 'loop/again'))
  await symlink(join(root, 'a.png'), join(root, 'link.png'))
  await symlink(join(root, 'nothing'), join(root, 'dead.png'))
  // Reading it is an I/O error from the first byte on.
  for (const name of ['metadata.csv', 'metadata.jsonl'])
    await symlink('/proc/self/mem', join(root, 'loop', name))
  const run = await index(root, '-c', 'odd', '--prefix', 'odd/')
  t.match(run, { code: 1, created: 3, failed: 6 })
  for (const name of ['csv', 'jsonl'])
    t.match(run.stderr, new RegExp(`metadata\\.${name}: The rest of the table can't be read: EIO`))
  for (const reason of [
    /not UTF-8; rename the file/,
    /b\.txt: The caption can't be read/,
    /longer than the 255 bytes/,
    /control characters/
  ])
    t.match(run.stderr, reason)
})

t.test('mistakes on the command line, and services that are not there', async (t) => {
  const root = await folder(t, { 'a.png': await solid('red'), 'b.zip': 'x' })
  t.match(await index(join(root, '*.gif'), '-c', 'nothing'), {
    code: 2,
    created: 0,
    stderr: /no image matches '.*\*\.gif'/
  })
  await mkdir(join(root, 'empty'))
  t.match(await index(join(root, 'empty'), '-c', 'nothing'), {
    code: 1,
    created: 0,
    stderr: /Nothing was indexed/
  })
  t.match((await api('GET', '/v1/collections/nothing')).status, 404)
  t.match(await index(join(root, 'nowhere')), { code: 2, stderr: /nowhere does not exist/ })
  t.match(await index(join(root, 'b.zip')), { code: 2, stderr: /not a folder, an image/ })
  t.match(await index(root, root), { code: 2, stderr: /must all be images/ })
  t.match(await index(join(root, 'a.png'), '--prune'), {
    code: 2,
    stderr: /--prune can only be used with a folder/
  })
  await writeFile(join(root, 'l.ndjson'), '')
  await writeFile(join(root, 't.csv'), 'id,text\n')
  t.match(await index(join(root, 'l.ndjson'), '--prefix', 'x/', '--label', '--text-column', 'y'), {
    code: 2,
    stderr: /can't be used with --prefix or --label or --text-column\./
  })
  t.match(await index('-', '--label'), { code: 2, stderr: /can't be used with --label/ })
  t.match(await index(join(root, 't.csv'), '--label'), {
    code: 2,
    stderr: /A table can't be used with --label/
  })
  t.match(await index(join(root, 'a.png'), '--label'), { code: 2, stderr: /can't be used with --label/ })
  t.match(await index(join(root, 'a.png'), '-c', 'there', '--storage', 'none', '--model', 'clip'), {
    code: 0,
    created: 1
  })
  t.match(await index(join(root, 'a.png'), '-c', 'there', '--storage', 'none', '--model', 'clip'), {
    code: 0,
    unchanged: 1
  })
  for (const other of [
    ['--storage', 'original'],
    ['--model', 'openclip']
  ])
    t.match(await index(join(root, 'a.png'), '-c', 'there', ...other), {
      code: 2,
      stderr: /'there' already exists, with storage none and model clip; /
    })
  t.match(await callCommand(['collections', 'list', '--url', `http://127.0.0.1:${await closedPort()}`]), {
    code: 69,
    stdout: '',
    stderr: /^semblance: http:\S+ can't be reached \(ECONNREFUSED\)[^\n]*\n$/
  })
  t.match(await index(), { code: 2, stderr: /missing required argument/ })
  t.match(await callCommand(['index', root, '--url', `http://127.0.0.1:${await closedPort()}`]), {
    code: 69,
    stdout: '',
    stderr: /can't be reached/
  })
  t.match(await callCommand(['index', root, '-c', 'No Name'], here), { code: 1, stderr: /INVALID_REQUEST/ })
  await writeFile(join(root, '\u001b]0;title\u0007\u202egnp.jpg'), 'no picture')
  const { stderr } = await index(root, '-c', 'escapes')
  t.match(stderr, /^semblance: .*\]0;titlegnp\.jpg: /)
  t.notMatch(stderr, /[\u001b\u0007\u202e]/, 'what names of files say does not reach the terminal')
  await unlink(join(root, '\u001b]0;title\u0007\u202egnp.jpg'))
  t.match(await callCommand(['index', root, '-c', 'quiet', '--quiet'], here), {
    code: 0,
    stdout: '',
    stderr: ''
  })
  t.match(await callCommand(['index', '--help']), {
    code: 0,
    stdout: /Examples:\n {2}\$ semblance index ~\/Pictures\n/
  })
})

t.test('a service that is full, goes away, or takes little is waited for and asked for less', async (t) => {
  const root = await folder(
    t,
    Object.fromEntries(
      await Promise.all(
        Array.from({ length: 9 }, async (_, i) => [`${i}.png`, await solid(`#${i}${i}${i}`)] as const)
      )
    )
  )
  const refusals = [429, 'cut', 413, 413, 503]
  const bodies: number[] = []
  const proxy = createServer((incoming, outgoing) => {
    const isUpsert = incoming.method === 'POST'
    const refusal = isUpsert ? refusals.shift() : undefined
    if (refusal === 'cut') return void incoming.socket.destroy()
    if (refusal !== undefined)
      return void incoming
        .resume()
        .on('end', () => outgoing.writeHead(refusal as number, { 'retry-after': '0' }).end())
    const upstream = httpRequest(
      url + incoming.url,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(outgoing)
      }
    )
    let size = 0
    incoming
      .on('data', (chunk: Buffer) => (size += chunk.length))
      .on('end', () => isUpsert && bodies.push(size))
    incoming.pipe(upstream)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  const { code, stdout } = await callCommand([
    'index',
    root,
    '-c',
    'patient',
    '--json',
    '--url',
    `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  ])
  t.match({ code, ...JSON.parse(stdout) }, { code: 0, created: 9, failed: 0 })
  t.same(refusals, [])
  t.equal(bodies.length, 3, 'nine were halved, and a half of these again')
})

t.test('lines are resumed where the service was full or away', async (t) => {
  const root = await folder(t, {
    'lines.ndjson':
      Array.from({ length: 900 }, (_, i) => JSON.stringify({ id: `${i}`, text: `number ${i}` })).join('\n') +
      '\n\n'
  })
  const refusals: (number | 'cut' | 'gone')[] = [429, 'cut', 'gone', 'gone']
  const proxy = createServer((incoming, outgoing) => {
    const refusal = incoming.url!.includes('/records/bulk') ? refusals.shift() : undefined
    if (refusal === 'gone') return void incoming.socket.destroy()
    if (refusal === 429)
      return void outgoing
        .writeHead(429, { 'retry-after': '0', 'content-type': 'application/json' })
        .end('{"error": {"code": "RATE_LIMITED", "message": "Later.", "request_id": "r"}}')
    const upstream = httpRequest(
      url + incoming.url,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        if (refusal === 'cut')
          answer.once('data', (chunk) => outgoing.write(chunk, () => incoming.socket.destroy()))
        else answer.pipe(outgoing)
      }
    )
    upstream.on('error', () => undefined)
    incoming.on('error', () => upstream.destroy()).pipe(upstream)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  const { code, stdout, stderr } = await callCommand([
    'index',
    join(root, 'lines.ndjson'),
    '-c',
    'restarted',
    '--json',
    '--url',
    `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  ])
  t.match(
    { code, stderr, ...JSON.parse(stdout) },
    { code: 0, stderr: '', created: 900, updated: 0, unchanged: 0, failed: 0 }
  )
  t.same(refusals, [])
})
