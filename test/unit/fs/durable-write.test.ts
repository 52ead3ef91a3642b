import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { StorageFull, StorageUnwritable } from '../../../src/errors.js'
import { diskFault, storageError } from '../../../src/fs/disk-fault.js'
import { renameDurably, writeAllDurablySync, writeDurably } from '../../../src/fs/durable-write.js'

t.test('writeDurably replaces a file and leaves nothing beside it', async (t) => {
  const folder = t.testdir({ keys: 'old', 'keys.partial': 'of a crash' })
  const path = join(folder, 'keys')
  await writeDurably(path, 'new', { mode: 0o600 })
  t.equal(readFileSync(path, 'utf8'), 'new')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(readdirSync(folder), ['keys'])
})

t.test('writeDurably keeps the old file when it fails', async (t) => {
  const folder = t.testdir({ keys: 'old' })
  const refused = writeDurably(join(folder, 'keys'), 'new', {
    prepare: () => Promise.reject(new Error('not this owner'))
  })
  await t.rejects(refused, /not this owner/)
  t.equal(readFileSync(join(folder, 'keys'), 'utf8'), 'old')
  t.same(readdirSync(folder), ['keys'])
})

t.test('writeAllDurablySync writes each file, and leaves nothing half written when it fails', async (t) => {
  const folder = t.testdir({})
  writeAllDurablySync(
    folder,
    new Map<string, string | Uint8Array>([
      ['a', 'text'],
      ['b', new Uint8Array([98])]
    ])
  )
  t.same(
    readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')),
    ['text', 'b']
  )
  mkdirSync(join(folder, 'c'))
  t.throws(() => writeAllDurablySync(folder, new Map([['c', 'text']])), { code: 'EISDIR' })
  t.same(readdirSync(folder), ['a', 'b', 'c'])
})

t.test('renameDurably gives a file its name', async (t) => {
  const folder = t.testdir({})
  writeFileSync(join(folder, 'a.partial'), 'text')
  await renameDurably(join(folder, 'a.partial'), join(folder, 'a'))
  t.same(readdirSync(folder), ['a'])
})

t.test(
  'diskFault tells by the code what a disk refuses, and storageError what a caller is told',
  async (t) => {
    const faults = {
      ENOSPC: 'full',
      EDQUOT: 'full',
      SQLITE_FULL: 'full',
      EROFS: 'read-only',
      SQLITE_READONLY_DIRECTORY: 'read-only',
      EACCES: 'denied',
      SQLITE_CANTOPEN: 'denied',
      EIO: 'broken',
      SQLITE_IOERR_WRITE: 'broken',
      ENOENT: undefined
    }
    const errors = Object.keys(faults).map((code) => Object.assign(new Error(code), { code }))
    t.same(errors.map(diskFault), Object.values(faults))
    const told = errors.map((error) => {
      const shown = storageError(error)
      return shown instanceof StorageFull ? 'full' : shown instanceof StorageUnwritable ? 'unwritable' : shown
    })
    t.same(told, [...Array(3).fill('full'), ...Array(6).fill('unwritable'), errors[9]])
  }
)
