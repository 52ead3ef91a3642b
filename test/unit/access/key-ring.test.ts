import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { digestOf } from '../../../src/access/api-key.js'
import { fixedKeyRing, openKeyRing, type KeyRing, type KeysReload } from '../../../src/access/key-ring.js'

const text = (...names: string[]) =>
  JSON.stringify({
    keys: names.map((name) => ({ name, scope: 'read', sha256: digestOf(name).toString('hex') }))
  })
const inForce = (ring: KeyRing, names = ['one', 'two', 'three']) => names.filter((name) => ring.find(name))

/** A ring over a file, with what it told of. */
async function watched(
  t: Test,
  path: string
): Promise<{ ring: KeyRing; told: KeysReload[]; next: () => Promise<KeysReload> }> {
  const told: KeysReload[] = []
  const ring = await openKeyRing({
    entries: ['admin:key-of-the-environment'],
    path,
    onReload: (reload) => told.push(reload)
  })
  t.teardown(() => ring.close())
  let seen = 0
  return {
    ring,
    told,
    // Bounded by the time of the test; how long it takes is not what is tested.
    next: async () => {
      for (let waited = 0; told.length === seen && waited < 20_000; waited += 20) await sleep(20)
      return told[seen++]
    }
  }
}

t.test('a change of the file takes effect by itself', async (t) => {
  const folder = t.testdir({ 'keys.json': text('one') })
  const path = join(folder, 'keys.json')
  const { ring, next } = await watched(t, path)
  t.same(inForce(ring), ['one'])
  await writeFile(path, text('one', 'two'))
  t.same(await next(), { added: ['two'], removed: [], changed: [] }, 'written in place')
  t.same(inForce(ring), ['one', 'two'])
  await writeFile(`${path}.new`, text('two', 'three'))
  await rename(`${path}.new`, path)
  t.same(await next(), { added: ['three'], removed: ['one'], changed: [] }, 'replaced by rename')
  t.same(inForce(ring), ['two', 'three'])
  await writeFile(path, text('two', 'three').replace('read', 'write'))
  t.same(await next(), { added: [], removed: [], changed: ['two'] })
  t.equal(ring.find('two')?.scope, 'write')
  t.match(
    ring.find('key-of-the-environment'),
    { name: 'env:1', scope: 'admin' },
    'those of the environment stay'
  )
  t.equal(ring.size, 3)
})

t.test("a Kubernetes secret's swap of links takes effect", async (t) => {
  const folder = t.testdir({ '..one': { 'keys.json': text('one') } })
  await symlink('..one', join(folder, '..data'))
  await symlink('..data/keys.json', join(folder, 'keys.json'))
  const { ring, next } = await watched(t, join(folder, 'keys.json'))
  await mkdir(join(folder, '..two'))
  await writeFile(join(folder, '..two/keys.json'), text('two'))
  await symlink('..two', join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  await rm(join(folder, '..one'), { recursive: true })
  t.same(await next(), { added: ['two'], removed: ['one'], changed: [] })
  t.same(inForce(ring), ['two'])
})

t.test('a broken file, and one that is gone, keeps the keys that were', async (t) => {
  const path = join(t.testdir({ 'keys.json': text('one') }), 'keys.json')
  const { ring, next } = await watched(t, path)
  for (const broken of ['{"keys": [', '{"keys": [{"name": "x"}]}', undefined]) {
    await (broken === undefined ? rm(path) : writeFile(path, broken))
    t.match(await next(), { error: Error })
    t.ok(ring.isStale)
    t.same(inForce(ring), ['one'])
  }
  await writeFile(path, text('one'))
  t.same(await next(), { added: [], removed: [], changed: [] }, 'that it is whole again is told')
  t.notOk(ring.isStale)
})

t.test('reload reads it at once; a file without keys lets no one in', async (t) => {
  const path = join(t.testdir({ 'keys.json': text('one') }), 'keys.json')
  const ring = await openKeyRing({ entries: [], path })
  t.teardown(() => ring.close())
  await writeFile(path, text())
  await ring.reload()
  t.same(inForce(ring), [])
  t.ok(ring.isLocked)
  t.equal(ring.size, 0)
})

t.test('a file that cannot be used from the start is an error', async (t) => {
  const folder = t.testdir({ 'keys.json': '{' })
  await t.rejects(openKeyRing({ entries: [], path: join(folder, 'keys.json') }), /is not JSON/)
  await t.rejects(openKeyRing({ entries: [], path: join(folder, 'none.json') }), /does not exist/)
})

t.test('of two keys that are the same the one that may more counts', async (t) => {
  const ring = fixedKeyRing([
    'read:one-and-the-same-key',
    'admin:one-and-the-same-key',
    'write:one-and-the-same-key'
  ])
  t.match(ring.find('one-and-the-same-key'), { scope: 'admin', name: 'env:2' })
  t.notOk(fixedKeyRing([]).isLocked)
})
