import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import t from 'tap'
import { openStore } from '../../../src/collections/open-store.js'
import type { Store } from '../../../src/collections/stores/store.js'
import { inspectStore } from '../../../src/collections/inspect.js'
import { explained } from '../../../src/collections/sqlite/store-failure.js'
import { startFailure } from '../../../src/cli/start-failure.js'
import { randomVector, settings } from '../../fixtures/collections.js'
import { inSequence } from '../../fixtures/pattern.js'

const FILES = ['semblance.db', 'semblance.db-wal', 'commits.json']

async function fill({ collections }: Pick<Store, 'collections'>, ids: string[]): Promise<void> {
  const { collection } = await collections.create('things', () => settings('things'))
  for (const id of ids)
    await collection.upsert([{ id, text: 'x'.repeat(2000), embeddings: { text: randomVector() } }])
}

/** Why a data folder can't be opened, in one line. */
async function refusal(dataDir: string): Promise<string> {
  try {
    await (await openStore({ dataDir })).close()
    return 'it was opened'
  } catch (error) {
    return startFailure(error)
  }
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

t.test('a store that is damaged says which file, what is wrong and what to do', async (t) => {
  const whole = t.testdir({})
  const store = await openStore({ dataDir: whole })
  await fill(
    store,
    Array.from({ length: 40 }, (_, i) => `r${i}`)
  )
  await store.close()
  const damaged = (name: string, damage: (path: string) => void) => {
    const folder = join(whole, 'cases', name)
    mkdirSync(folder, { recursive: true })
    copyFileSync(join(whole, 'semblance.db'), join(folder, 'semblance.db'))
    damage(join(folder, 'semblance.db'))
    return folder
  }
  const cases: [folder: string, expected: RegExp][] = [
    [
      damaged('header', (path) => overwrite(path, 0, Buffer.alloc(100, 'x'))),
      /semblance\.db is not an SQLite database.*Stop the service.*semblance doctor.*backups/
    ],
    [
      damaged('pages', (path) => overwrite(path, 8192, Buffer.alloc(60_000, 0xff))),
      /semblance\.db.* is damaged.*Stop the service/
    ],
    [
      damaged('cut', (path) => ftruncateSync(openSync(path, 'r+'), 20_000)),
      /semblance\.db.* is damaged.*Stop the service/
    ],
    [
      damaged('folder', (path) => (rmSync(path), mkdirSync(path))),
      /semblance\.db.* cannot be opened.*Check that the path exists/
    ],
    [
      damaged('newer', (path) => {
        const db = new SQLite(path)
        db.pragma('user_version = 1000')
        db.close()
      }),
      /schema 1000, which a newer version wrote.*Start the newer version/
    ],
    [
      damaged('images', (path) => writeFileSync(join(path, '..', 'images'), '')),
      /images .*has the wrong type/
    ],
    [
      damaged('lock', (path) =>
        writeFileSync(join(path, '..', 'lock.db'), 'nothing that SQLite knows'.repeat(50))
      ),
      /lock\.db is damaged.*delete the file/
    ]
  ]
  for (const [folder, expected] of cases) t.match(await refusal(folder), expected)
})

t.test('every code that the disk or SQLite may give has its words', async (t) => {
  const told = (code: string) => {
    try {
      return explained('/data', 'semblance.db', () => {
        throw Object.assign(new Error('as it says'), { code })
      })
    } catch (error) {
      return startFailure(error)
    }
  }
  t.match(
    told('SQLITE_IOERR_READ'),
    inSequence(
      /^\/data\/semblance\.db cannot be read or written: /,
      /the disk reports an error \(SQLITE_IOERR_READ: as it says\)/
    )
  )
  t.match(told('SQLITE_READONLY_DBMOVED'), /cannot be written to.*Mount/)
  t.match(told('SQLITE_BUSY'), /locked by another program.*sqlite3/)
  t.match(told('SQLITE_FULL'), /its disk is full.*Free space/)
  t.match(
    told('SQLITE_NOLFS'),
    /^\/data\/semblance\.db: as it says \(SQLITE_NOLFS\)$/,
    'one that is not known too'
  )
  t.equal(told('OTHER'), 'as it says')
})

t.test('whatever kept the service from starting has a line', async (t) => {
  const listening = (code: string) =>
    startFailure(Object.assign(new Error(code), { code, syscall: 'listen', address: '127.0.0.1', port: 80 }))
  t.equal(
    listening('EADDRINUSE'),
    '127.0.0.1:80 is in use by another program. Set PORT to another port, or stop that program.'
  )
  t.match(listening('EACCES'), /This user may not listen on 127\.0\.0\.1:80.*1024/)
  t.match(listening('EADDRNOTAVAIL'), /is not an address of this machine/)
  t.match(startFailure(new AggregateError([new Error('one'), new Error('two')], 'both')), /^both one two$/)
  for (const odd of [undefined, null, 'a text', { code: 7 }])
    t.match(startFailure(odd), /^it ended with .*LOG_LEVEL=debug/)
  t.match(startFailure(new TypeError()), /^TypeError, without a message: at /)
  t.equal(startFailure({ message: 'of another thread' }), 'of another thread')
})

t.test('a store that went back after a crash says so, and by how much', async (t) => {
  const [dataDir, lost] = [t.testdir({}), join(t.testdirName, 'copy')]
  const problems: string[] = []
  const open = (folder: string) =>
    openStore({ dataDir: folder, onProblem: (problem) => problems.push(problem) })
  const first = await open(dataDir)
  await fill(first, ['a', 'b'])
  await first.close()
  const second = await open(dataDir)
  t.equal(second.health.setback, undefined, 'after a clean end it lacks nothing')
  await fill(second, ['c', 'd', 'e'])
  // As a crash leaves it: the log is there and not folded in yet.
  mkdirSync(lost)
  for (const file of FILES) copyFileSync(join(dataDir, file), join(lost, file))
  await second.close()

  await t.test('with its log it is whole', async (t) => {
    const whole = join(dataDir, 'whole')
    mkdirSync(whole)
    for (const file of FILES) copyFileSync(join(lost, file), join(whole, file))
    const store = await open(whole)
    t.equal(store.health.setback, undefined)
    t.match(await (await store.collections.get('things')).counts(), { records: 5 })
    await store.close()
  })
  rmSync(join(lost, 'semblance.db-wal'))
  t.match((await inspectStore(lost))!.setback, { commits: 3 }, 'the doctor sees it before a start')
  const third = await open(lost)
  t.match(third.health.setback, { commits: 3, keptUntil: Number, lostUntil: Number })
  t.match(problems, [
    /^the store lost commits: 3 acknowledged commits until .* are missing; the last commit .* is from /
  ])
  await fill(third, ['f'])
  await third.close()
  const fourth = await open(lost)
  t.equal(problems.length, 1, 'it is found once')
  t.match(fourth.health.setback, { commits: 3 }, 'and told for a while')
  await fourth.close()
  t.match((await inspectStore(lost))!.setback, { commits: 3 })
})
