import { mkdirSync } from 'node:fs'
import SQLite from 'better-sqlite3'
import t from 'tap'
import { openStore } from '../../../src/collections/open-store.js'
import { openReader } from '../../../src/collections/sqlite/connection.js'
import { MIGRATIONS } from '../../../src/collections/sqlite/migrations.js'

t.test('a store of before there were classifiers gets them, and keeps what it has', async (t) => {
  const dataDir = t.testdir()
  mkdirSync(dataDir, { recursive: true })
  const old = new SQLite(`${dataDir}/semblance.db`)
  for (const step of MIGRATIONS.slice(0, 3)) old.exec(step)
  old.pragma('user_version = 3')
  old.exec("INSERT INTO job (id, body, created_at) VALUES ('a', '{}', 1)")
  old.close()
  const store = await openStore({ dataDir })
  t.same([await store.jobs.list(), await store.classifiers.list()], [['{}'], []])
  t.equal(
    await store.classifiers.save({ name: 'a', body: '{}', weights: new Uint8Array(4) }),
    false,
    'where one can be saved'
  )
  await store.close()
  t.equal(openReader(dataDir).pragma('user_version', { simple: true }), MIGRATIONS.length)
})
