import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { miniWithPreprocessing } from '../../fixtures/mini.js'
import { testServer } from '../../fixtures/server.js'

/** A model that starts soon. */
const CLIP = { MODEL: 'clip', MODELS_DIR: 'test/fixtures/towers' }

interface Finding {
  topic: string
  status: string
  text: string
}

/** What the command finds, and its exit code. */
async function doctor(env: Record<string, string>): Promise<{ code: number | string; findings: Finding[] }> {
  const { code, stdout } = await callCommand(['doctor', '--json'], {
    ENCODER_WORKERS: '1',
    DECODE_WORKERS: '1',
    ...env
  })
  return { code, findings: JSON.parse(stdout).findings }
}

t.test('what is wrong is found, and makes the exit code 1', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const { api, close } = await testServer(t, { ...CLIP, DATA_DIR: dataDir })
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }] })
  await close()
  const wrong = await miniWithPreprocessing(join(t.testdirName, 'wrong'), {
    resample: 0,
    image_mean: [0, 0, 0],
    image_std: [1, 1, 1]
  })
  const { code, findings } = await doctor({ DATA_DIR: dataDir, MODEL: wrong })
  t.equal(code, 1)
  t.match(
    findings.find(({ status }) => status === 'fail')?.text,
    /wrong: golden values: 8 of 8 texts.*of 10 images 0\.[0-8]/
  )
  t.match(
    findings.find(({ text }) => text.startsWith('collection things')),
    { status: 'warn', text: /made with 'clip' \([0-9a-f]{12}\), which is not loaded: load it or re-index/ }
  )
  t.match(await doctor({ DATA_DIR: dataDir, MODEL: 'nowhere' }), { code: 1 })
})

t.test('the file of keys is looked at', async (t) => {
  const env = {
    ...CLIP,
    DATA_DIR: join(t.testdir(), 'data'),
    API_KEYS_FILE: join(t.testdirName, 'keys.json')
  }
  const keys = async (content?: unknown) => {
    if (content !== undefined) await writeFile(env.API_KEYS_FILE, JSON.stringify(content), { mode: 0o600 })
    return (await doctor(env)).findings.filter(({ topic }) => topic === 'keys')
  }
  t.match(await keys(), [{ status: 'fail', text: /keys\.json does not exist/ }])
  const key = { name: 'app', sha256: 'a'.repeat(64), scope: 'read' }
  t.match(
    await keys({ keys: [key, { ...key, name: 'old', sha256: 'b'.repeat(64), expires_at: '2020-01-01' }] }),
    [{ status: 'ok', text: /: 2 keys, of which old has expired$/ }]
  )
  t.match(await keys({ keys: [{ ...key, scope: 'root' }] }), [{ status: 'fail', text: /scope/ }])
  await chmod(env.API_KEYS_FILE, 0o644)
  t.match(await keys({ keys: [key] }), [{ status: 'ok' }, { status: 'warn', text: /keys\.json/ }])
})

t.test('a store whose tables do not agree is found', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const { api, close } = await testServer(t, { ...CLIP, DATA_DIR: dataDir })
  await api('PUT', '/v1/collections/own', { model: null, dimension: 3 })
  await api('POST', '/v1/collections/own/records', {
    records: ['a', 'b', 'c'].map((id) => ({ id, embeddings: { image: [1, 2, 3] } }))
  })
  await close()
  const db = new SQLite(join(dataDir, 'semblance.db'))
  db.exec(`
    PRAGMA foreign_keys = OFF;
    UPDATE embedding SET vector = x'00000000' WHERE label = 1;
    DELETE FROM embedding WHERE label = 2;
    UPDATE embedding SET record = 99 WHERE label = 3;
    UPDATE collection SET records = 7;
  `)
  db.close()
  const { code, findings } = await doctor({ ...CLIP, DATA_DIR: dataDir })
  t.equal(code, 1)
  const found = findings.find(({ text }) => text.startsWith('the store is damaged'))?.text ?? ''
  for (const fault of [
    /1 rows refer to missing rows/,
    /1 embeddings do not have their collection's dimension/,
    /2 records of collections without a model have no embeddings/,
    /1 collections have a wrong record count/
  ])
    t.match(found, fault)
})
