import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { digestOf } from '../../../src/access/api-key.js'
import { changeKeyFile } from '../../../src/access/change-key-file.js'
import { parseKeyFile, readKeyFile, toApiKeys } from '../../../src/access/key-file.js'

const entry = (name: string, more: object = {}) => ({
  name,
  scope: 'read' as const,
  sha256: digestOf(name).toString('hex'),
  ...more
})
const parse = (keys: unknown[]) => parseKeyFile(JSON.stringify({ keys }), 'keys.json')

t.test('a sound file', async (t) => {
  t.same(toApiKeys(parse([])), [])
  const [plain, full] = toApiKeys(
    parse([
      entry('a'),
      entry('b', {
        scope: 'admin',
        collections: ['photos', 'tenant-a-*', '*'],
        rate_limit_per_minute: 0,
        created_at: 'x',
        expires_at: '2030-01-02T03:04Z'
      })
    ])
  )
  t.same(plain, { name: 'a', scope: 'read', digest: digestOf('a') })
  t.match(full, {
    collections: ['photos', 'tenant-a-*', '*'],
    rateLimit: 0,
    expiresAt: Date.UTC(2030, 0, 2, 3, 4)
  })
})

t.test('every mistake is told at once, and no value', async (t) => {
  const secret = 'smb_this-is-a-key-and-no-digest'
  const wrong = [
    { name: 'first', scope: 'read', sha256: secret },
    { name: 'second', scope: 'root', sha256: digestOf('2').toString('hex'), collections: ['Photos', 'a*b'] },
    { name: 'bad name!', scope: 'read', key: secret }
  ]
  try {
    parse(wrong)
    t.fail('it was taken')
  } catch (error) {
    const { message } = error as Error
    for (const told of [
      'keys[0].sha256',
      'keys[1].scope',
      'read, write, admin',
      'keys[1].collections[0]',
      'keys[1].collections[1]',
      'keys[2].name',
      'sha256',
      ': key'
    ])
      t.ok(message.includes(told), told)
    t.notOk(message.includes(secret))
  }
  t.throws(
    () => parse([entry('a'), entry('b'), entry('a')]),
    /keys\[2\] has the same name as keys\[0\]; keys\[2\] has the same sha256 as keys\[0\]/
  )
  for (const time of ['tomorrow', '2030', '2030-13-01', '2030-01-01T00:00'])
    t.throws(() => parse([entry('a', { expires_at: time })]), /keys\[0\]\.expires_at/, time)
  for (const text of ['', '{', '[]', '{"keys": {}}', '{"keys": [], "more": 1}', 'null'])
    t.throws(() => parseKeyFile(text, 'keys.json'), /^keys\.json/, text)
})

t.test('a file that others may read or write is warned about', async (t) => {
  const path = join(t.testdir({ 'keys.json': '{"keys": []}' }), 'keys.json')
  for (const [mode, warning] of [
    [0o600, undefined],
    [0o640, undefined],
    [0o644, /Every user of this machine can read .*644/],
    [0o660, /Other users can write to .*660/],
    [0o666, /can write to/]
  ] as const) {
    await chmod(path, mode)
    const { exposure } = await readKeyFile(path)
    if (warning) t.match(exposure, warning)
    else t.equal(exposure, undefined, mode.toString(8))
  }
  await t.rejects(readKeyFile(`${path}.none`), /does not exist.*keys create/)
})

t.test('a change replaces the file as a whole, with mode 600, where a link leads', async (t) => {
  const folder = t.testdir({ real: { 'keys.json': JSON.stringify({ keys: [entry('a')] }) } })
  const [link, real] = [join(folder, 'keys.json'), join(folder, 'real/keys.json')]
  await symlink(real, link)
  await chmod(real, 0o644)
  await changeKeyFile(link, (keys) => [...keys, entry('b')])
  t.ok((await lstat(link)).isSymbolicLink())
  t.equal((await stat(real)).mode & 0o777, 0o600)
  t.same(
    JSON.parse(await readFile(link, 'utf8')).keys.map(({ name }: { name: string }) => name),
    ['a', 'b']
  )
  const before = await readFile(real)
  await t.rejects(
    changeKeyFile(link, (keys) => [...keys, entry('a')]),
    /has the same name as/
  )
  await t.rejects(
    changeKeyFile(link, () => {
      throw new Error('no')
    }),
    /no/
  )
  t.same(await readFile(real), before, 'what fails changes nothing')
  t.notOk((await readdir(join(folder, 'real'))).some((name) => name.endsWith('.new')))
  await writeFile(real, 'not JSON')
  await t.rejects(
    changeKeyFile(link, (keys) => keys),
    /not JSON/,
    'a broken file is not written over'
  )
})

t.test('changes at one time all arrive, and leave the file whole at every moment', async (t) => {
  const path = join(t.testdir(), 'new/keys.json')
  const names = Array.from({ length: 8 }, (_, i) => `key-${i}`)
  let done = false
  const reader = (async () => {
    let seen = 0
    while (!done) {
      const file = await readKeyFile(path).catch((error: Error) =>
        error.message.includes('does not exist') ? undefined : Promise.reject(error)
      )
      if (file) {
        t.ok(file.file.keys.length >= seen)
        seen = file.file.keys.length
      }
      await new Promise(setImmediate)
    }
  })()
  await Promise.all(names.map((name) => changeKeyFile(path, (keys) => [...keys, entry(name)])))
  done = true
  await reader
  t.same((await readKeyFile(path)).file.keys.map(({ name }) => name).sort(), names)
})
