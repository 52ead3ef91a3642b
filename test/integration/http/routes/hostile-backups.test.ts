import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import t from 'tap'
import { solid } from '../../../fixtures/images.js'
import { fillCollection } from '../../../fixtures/mixed-collection.js'
import { testServer } from '../../../fixtures/server.js'

const TYPE = { headers: { 'content-type': 'application/vnd.sqlite3' } }

/** What is done to a sound backup, as SQL or to its bytes, and what the refusal says. */
type Change = ((db: SQLite.Database) => void) | string
const NORMAL = Buffer.from(new Float32Array(256).fill(1 / 16).buffer)

const changes: [string, Change, RegExp][] = [
  ['a newer format', 'PRAGMA user_version = 2', /has format 2, .*reads formats up to 1/],
  ['a format that never was', 'PRAGMA user_version = 0', /format 0/],
  ['another application', 'PRAGMA application_id = 1', /not a backup/],
  [
    'a trigger',
    'CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM record; END',
    /tables are not those/
  ],
  [
    'a view in place of a table',
    'ALTER TABLE record RENAME TO hidden; CREATE VIEW record AS SELECT * FROM hidden',
    /tables are not those/
  ],
  ['another column', 'ALTER TABLE record ADD COLUMN more TEXT', /tables are not those/],
  ['another table', 'CREATE TABLE more (x)', /tables are not those/],
  [
    'a generated column',
    'DROP TABLE image; CREATE TABLE image (sha256 TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL AS ' +
      '(zeroblob(1e9)) VIRTUAL)',
    /tables are not those/
  ],
  ['write-ahead log', 'PRAGMA journal_mode = WAL', /WAL/],
  ['no description', 'DELETE FROM backup', /does not name its collection/],
  ['two descriptions', 'INSERT INTO backup SELECT * FROM backup', /does not name its collection/],
  ['a record less', "DELETE FROM record WHERE id = 'r1'", /records are missing/],
  [
    'an embedding less',
    'DELETE FROM embedding WHERE label = (SELECT min(label) FROM embedding)',
    /embeddings are missing/
  ],
  ['another dimension', 'UPDATE backup SET dimension = 255', /does not have 255 dimensions/],
  [
    'a dimension that the model has not',
    "UPDATE backup SET dimension = 1; UPDATE embedding SET vector = x'0000803f'",
    /1 dimensions, but its encoder has 256/
  ],
  [
    'a vector that is too short',
    'UPDATE embedding SET vector = substr(vector, 1, 1020) WHERE label = (SELECT max(label) FROM embedding)',
    /does not have 256 dimensions/
  ],
  [
    'NaN',
    (db) =>
      db
        .prepare('UPDATE embedding SET vector = ? WHERE label = (SELECT max(label) FROM embedding)')
        .run(Buffer.from(new Float32Array(256).fill(NaN).buffer)),
    /not normalised/
  ],
  [
    'infinity',
    (db) =>
      db
        .prepare('UPDATE embedding SET vector = ? WHERE label = (SELECT max(label) FROM embedding)')
        .run(Buffer.from(new Float32Array(256).fill(Infinity).buffer)),
    /not normalised/
  ],
  [
    'a vector that is too long for a cosine',
    (db) =>
      db
        .prepare('UPDATE embedding SET vector = ? WHERE label = (SELECT max(label) FROM embedding)')
        .run(Buffer.from(new Float32Array(256).fill(1).buffer)),
    /not normalised/
  ],
  [
    'an embedding of no record',
    'UPDATE embedding SET record = -7 WHERE label = (SELECT max(label) FROM embedding)',
    /belongs to no record/
  ],
  [
    'an embedding twice',
    (db) => {
      db.prepare(
        "INSERT INTO embedding SELECT max(label) + 1, (SELECT key FROM record WHERE id = 'r1'), " +
          "'text', ? FROM embedding"
      ).run(NORMAL)
      db.exec('UPDATE backup SET embeddings = embeddings + 1')
    },
    /two text embeddings of 'r1'/
  ],
  ['another modality', "UPDATE embedding SET modality = 'audio'", /an unknown modality/],
  [
    'a record twice',
    "INSERT INTO record SELECT max(key) + 1, 'r1', 'again', NULL, NULL, NULL, NULL, 1, 1 FROM record; " +
      'UPDATE backup SET records = records + 1',
    /record 'r1' twice/
  ],
  [
    'an id with a control character',
    "UPDATE record SET id = 'r' || char(10) WHERE id = 'r1'",
    /control characters/
  ],
  ['an empty id', "UPDATE record SET id = '' WHERE id = 'r1'", /empty/],
  [
    'an id that is too long',
    "UPDATE record SET id = printf('%.300c', 'x') WHERE id = 'r1'",
    /more than 255 bytes/
  ],
  ['an id that leads elsewhere', "UPDATE record SET id = '..' WHERE id = 'r1'", /can't be used in a path/],
  ['an empty text', "UPDATE record SET text = ' ' WHERE id = 'r1'", /text is empty/],
  [
    'metadata that is no JSON',
    "UPDATE record SET metadata = '{' WHERE id = 'r1'",
    /metadata of 'r1' is not a JSON object/
  ],
  [
    'metadata that is a list',
    "UPDATE record SET metadata = '[1]' WHERE id = 'r1'",
    /metadata of 'r1' is not a JSON object/
  ],
  [
    'metadata that is too deep',
    (db) =>
      db
        .prepare("UPDATE record SET metadata = ? WHERE id = 'r1'")
        .run('{"a":'.repeat(40) + '1' + '}'.repeat(40)),
    /nested more than 32 levels deep/
  ],
  [
    'metadata that no thread could take over',
    (db) =>
      db
        .prepare("UPDATE record SET metadata = ? WHERE id = 'r1'")
        .run('{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000)),
    /nested more than 32 levels deep/
  ],
  [
    'metadata that is too large',
    "UPDATE record SET metadata = json_object('a', printf('%.70000c', 'x')) WHERE id = 'r1'",
    /larger than 64 KiB/
  ],
  ['a time that is none', 'UPDATE record SET updated_at = 9e15', /an invalid time/],
  ['a time before all', 'UPDATE backup SET collection_created_at = -1', /an invalid time/],
  ['settings out of bounds', 'UPDATE backup SET m = 100000', /its collection settings are not valid/],
  ['another storage', "UPDATE backup SET storage = '../../x'", /its collection settings are not valid/],
  [
    'a model without a fingerprint',
    'UPDATE backup SET fingerprint = NULL',
    /its collection settings are not valid/
  ],
  [
    'a fingerprint that is none',
    "UPDATE backup SET fingerprint = 'mini'",
    /its collection settings are not valid/
  ],
  [
    'another image under the digest',
    (db) => db.exec("UPDATE image SET bytes = x'89504e470d0a1a0a' WHERE rowid = 1"),
    /does not match its digest/
  ],
  ['a missing image', 'DELETE FROM image WHERE rowid = 1', /image of '.*' is missing/],
  [
    'an image of another type',
    "UPDATE record SET image_type = 'text/html' WHERE image_sha256 IS NOT NULL",
    /its type is not the one/
  ],
  ['an image without a type', 'UPDATE record SET image_type = NULL', /a digest without a type/],
  [
    'a digest that leads elsewhere',
    "UPDATE record SET image_sha256 = '../../../etc/passwd' WHERE id = 'r3'",
    /image of 'r3' is missing/
  ]
]

t.test(
  'a file from anybody is restored if it is a sound backup, and refused with the reason if not',
  async (t) => {
    const dataDir = t.testdir()
    const { api } = await testServer(t, { DATA_DIR: dataDir })
    await fillCollection(api, 'things')
    await api('POST', '/v1/collections/things/backups', { name: 'sound' })
    const sound = join(dataDir, 'backups', 'things', 'sound.sqlite')
    const images = (await readdir(join(dataDir, 'images'))).sort()
    const refused = async (name: string, file: Buffer, reason: RegExp) => {
      const { status, body } = await api('POST', '/v1/collections/copy/restore', file, TYPE)
      t.match(
        { status, message: body.error?.message, code: body.error?.code },
        { status: 422, code: /^BACKUP_(INVALID|TOO_NEW)$/, message: reason },
        name
      )
      t.match(await api('GET', '/v1/collections/copy'), { status: 404 }, `${name}: nothing is there`)
    }
    for (const [name, change, reason] of changes) {
      const path = join(dataDir, 'changed.sqlite')
      await copyFile(sound, path)
      const db = new SQLite(path)
      if (typeof change === 'string') db.exec(change)
      else change(db)
      db.close()
      await refused(name, await readFile(path), reason)
    }

    const bytes = await readFile(sound)
    await refused('nothing', Buffer.from('x'), /not an SQLite database/)
    await refused('a picture', await solid('red'), /not an SQLite database/)
    await refused('half', bytes.subarray(0, bytes.length >> 1), /damaged/)
    await refused('the header alone', bytes.subarray(0, 100), /damaged/)
    // A page that is no page any more: in the schema, and in the trees of rows.
    let refusals = 0
    for (let page = 0; page < 12; page++) {
      const torn = Buffer.from(bytes)
      torn.fill(0xa5, page * 16_384 + 108, page * 16_384 + 1200)
      const { status } = await api('POST', `/v1/collections/torn${page}/restore`, torn, TYPE)
      // What lies there may be free space, or bytes of a picture, which its digest tells.
      t.ok(status === 422 || status === 200, `page ${page}: ${status}`)
      if (status === 422) refusals++
      else await api('DELETE', `/v1/collections/torn${page}`)
    }
    t.ok(refusals >= 6, `${refusals} of 12 torn pages were told`)
    t.match(
      await api('POST', '/v1/collections/copy/restore', bytes, TYPE),
      { status: 200 },
      'the sound one is restored'
    )
    t.same((await readdir(join(dataDir, 'images'))).sort(), images, 'no image of a refused one stays')
  }
)

t.test('a damaged bit of a vector or a text is found by the checksum, of what is sent', async (t) => {
  const dataDir = t.testdir()
  const { api } = await testServer(t, { DATA_DIR: dataDir })
  await fillCollection(api, 'things')
  const { sha256 } = (await api('POST', '/v1/collections/things/backups', { name: 'b' })).body
  const path = join(dataDir, 'backups', 'things', 'b.sqlite')
  const bytes = await readFile(path)
  bytes[bytes.indexOf('a green apple')] ^= 1
  t.match(await api('POST', `/v1/collections/copy/restore?sha256=${sha256}`, bytes, TYPE), {
    status: 422,
    body: { error: { code: 'CHECKSUM_DIFFERS' } }
  })
  await writeFile(path, bytes)
  t.match(
    await api('POST', '/v1/collections/copy/restore', { backup: 'b', from: 'things' }),
    { status: 422, body: { error: { code: 'CHECKSUM_DIFFERS' } } },
    'and of what lies here'
  )
})

t.test('a backup of a model that is not loaded is restored, and waits for it', async (t) => {
  const dataDir = t.testdir()
  const { api } = await testServer(t, { DATA_DIR: dataDir })
  await fillCollection(api, 'things')
  const made = (await api('POST', '/v1/collections/things/backups', { name: 'b' })).body
  const path = join(dataDir, 'changed.sqlite')
  await copyFile(join(dataDir, 'backups', 'things', 'b.sqlite'), path)
  const db = new SQLite(path)
  db.prepare("UPDATE backup SET model = 'huge', fingerprint = ?").run('ab'.repeat(32))
  db.close()
  t.match(await api('POST', '/v1/collections/copy/restore', await readFile(path), TYPE), {
    status: 200,
    body: { model: 'huge', fingerprint: 'ab'.repeat(32), records: made.records }
  })
  t.match(await api('POST', '/v1/collections/copy/search', { query: { text: 'red' } }), {
    status: 409,
    body: { error: { code: 'FINGERPRINT_MISMATCH', message: /'huge' \(abababababab\)/ } }
  })
  const {
    body: { matches }
  } = await api('POST', '/v1/collections/copy/search', { query: { record: 'r20' }, limit: 3 })
  t.same(
    matches.map(({ id, score }: { id: string; score: number }) => ({ id, score })),
    (
      await api('POST', '/v1/collections/things/search', { query: { record: 'r20' }, limit: 3 })
    ).body.matches.map(({ id, score }: { id: string; score: number }) => ({ id, score })),
    'what needs no model goes on'
  )
})
