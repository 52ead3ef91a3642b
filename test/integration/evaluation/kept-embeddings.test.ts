import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import SQLite from 'better-sqlite3'
import t from 'tap'
import { imageKey, openKeptEmbeddings, textKey } from '../../../src/evaluation/embedding/kept-embeddings.js'

const writer = fileURLToPath(new URL('../../fixtures/keep-embeddings.mjs', import.meta.url))
const DIMENSION = 4
const row = (i: number) => Float32Array.of(i, i + 0.25, -i, 1 / (i + 1))

/** The kept embeddings of a folder with the warnings that they came with. */
function open(folder?: string, { fingerprint = 'f1', maxBytes = 1e9 } = {}) {
  const warnings: string[] = []
  return {
    warnings,
    kept: openKeptEmbeddings({
      ...(folder !== undefined && { cache: { folder, maxBytes } }),
      fingerprint,
      dimension: DIMENSION,
      onWarning: (warning) => warnings.push(warning)
    })
  }
}

function keep(folder: string, count: number): void {
  const { kept } = open(folder)
  for (let i = 0; i < count; i++) kept.put(textKey(`t${i}`), row(i))
  kept.close()
}

/** A process that keeps texts from a number on, to another or without end. */
function startWriter(folder: string, from: number, to = Infinity): ChildProcess {
  return spawn(process.execPath, [writer, folder, String(from), String(to)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
}

t.test('what was kept is found, bit for bit, by its bytes, its corruption or its text', (t) => {
  const folder = t.testdir()
  const { kept } = open(folder)
  kept.put(textKey('a'), row(1))
  kept.put(imageKey('a'), row(2))
  kept.put(imageKey('a', { kind: 'jpeg', quality: 10 }), row(3))
  t.same(kept.get(textKey('a')), row(1), 'before it is written')
  kept.close()
  const again = open(folder).kept
  t.same(again.get(textKey('a')), row(1))
  t.same(again.get(imageKey('a')), row(2))
  t.same(
    again.get(imageKey('a', { quality: 10, kind: 'jpeg' } as const)),
    row(3),
    'in whichever order a corruption has its members'
  )
  t.equal(again.get(imageKey('a', { kind: 'jpeg', quality: 11 })), undefined)
  t.equal(again.get(textKey('b')), undefined)
  t.equal(
    imageKey('a', { kind: 'constant' }),
    imageKey('b', { kind: 'constant' }),
    'a constant image is of no image'
  )
  t.same(again.counts, { found: 3, added: 0 })
  again.close()
  const other = open(folder, { fingerprint: 'f2' }).kept
  t.equal(other.get(textKey('a')), undefined, 'another model has its own')
  other.close()
  t.end()
})

t.test(
  'of too many those that were written first are removed at the end, and the file gets smaller',
  async (t) => {
    const folder = t.testdir()
    keep(folder, 20_000)
    const path = join(folder, 'f1.sqlite')
    const { size } = await stat(path)
    const { kept, warnings } = open(folder, { maxBytes: size / 2 })
    for (let i = 20_000; i < 20_100; i++) kept.put(textKey(`t${i}`), row(i))
    kept.close()
    t.same(warnings, [])
    t.ok((await stat(path)).size <= size / 2, 'the room is given back')
    const left = open(folder).kept
    const isThere = Array.from({ length: 20_100 }, (_, i) => left.get(textKey(`t${i}`)) !== undefined)
    const first = isThere.indexOf(true)
    t.ok(first > 9000 && first < 18_000, `from ${first} on`)
    t.notOk(isThere.slice(first).includes(false), 'all that came later are there')
    left.close()
  }
)

t.test('without a folder they are kept until the end', (t) => {
  const { kept } = open()
  for (let i = 0; i < 1000; i++) kept.put(textKey(`t${i}`), row(i))
  t.same(kept.get(textKey('t3')), row(3))
  kept.close()
  t.equal(open().kept.get(textKey('t3')), undefined)
  t.end()
})

t.test('a kill loses little, and nothing of what is left is wrong', async (t) => {
  const folder = t.testdir()
  const child = startWriter(folder, 0)
  let written = 0
  for await (const line of child.stdout!) {
    written = Number(String(line).trim().split('\n').at(-1))
    if (written > 2000) break
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { kept, warnings } = open(folder)
  let found = 0
  for (let i = 0; i < written; i++) {
    const embedding = kept.get(textKey(`t${i}`))
    if (embedding) found++
    if (embedding && !embedding.every((value, k) => value === row(i)[k])) t.fail(`another embedding of t${i}`)
  }
  t.ok(found > written - 300, `${found} of ${written}`)
  t.same(warnings, [])
  kept.close()
})

t.test('two processes share a file', async (t) => {
  const folder = t.testdir()
  const children = [startWriter(folder, 0, 3000), startWriter(folder, 1500, 4500)]
  t.same(await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0])), [0, 0])
  const { kept, warnings } = open(folder)
  const missing = Array.from({ length: 4500 }, (_, i) => i).filter(
    (i) => kept.get(textKey(`t${i}`))?.[0] !== row(i)[0]
  )
  t.same(missing, [])
  t.same(warnings, [])
  kept.close()
})

t.test('a file that is no such file is put aside, with a warning, and begun again', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'f1.sqlite')
  const spoil: Record<string, () => Promise<void>> = {
    'not a database': () => writeFile(path, 'hello '.repeat(1000)),
    'cut off': () => truncate(path, 20_000),
    'of another model': async () => {
      const db = new SQLite(path)
      db.exec("UPDATE model SET fingerprint = 'f9'")
      db.close()
    },
    'other tables': async () => {
      const db = new SQLite(path)
      db.exec('DROP TABLE embedding; CREATE TABLE embedding (something TEXT)')
      db.close()
    }
  }
  for (const [what, work] of Object.entries(spoil)) {
    keep(folder, 1000)
    await work()
    const { kept, warnings } = open(folder)
    const right = Array.from({ length: 1000 }, (_, i) => kept.get(textKey(`t${i}`))?.[1]).every(
      (value, i) => value === undefined || value === row(i)[1]
    )
    t.ok(right, `${what}: nothing wrong comes of it`)
    t.match(warnings, [/can't be used.*moved to .*\.damaged-/], what)
    kept.put(textKey('new'), row(7))
    kept.close()
    const after = open(folder)
    t.same(after.kept.get(textKey('new')), row(7), `${what}: and it goes on`)
    t.same(after.warnings, [])
    after.kept.close()
  }
  t.equal(
    (await readdir(folder)).filter(
      (name) => /\.damaged-[^-]*-[^-]*-[^-]*Z$/.test(name) || /damaged-.*Z$/.test(name)
    ).length,
    4
  )
})

t.test('an embedding that was changed where it lay is made again', async (t) => {
  const folder = t.testdir()
  keep(folder, 50)
  const path = join(folder, 'f1.sqlite')
  const bytes = await readFile(path)
  const at = bytes.indexOf(Buffer.from(row(33).buffer))
  bytes[at + 5] ^= 1
  await writeFile(path, bytes)
  const { kept, warnings } = open(folder)
  t.equal(kept.get(textKey('t33')), undefined)
  t.same(kept.get(textKey('t32')), row(32))
  t.match(warnings, [/are damaged and are computed again/])
  kept.put(textKey('t33'), row(33))
  kept.close()
  const again = open(folder)
  t.same(again.kept.get(textKey('t33')), row(33))
  again.kept.close()
})

t.test('a folder that cannot be made is an error that says so', async (t) => {
  const folder = t.testdir({ file: 'x' })
  t.throws(() => open(join(folder, 'file', 'cache')), /file/)
})
