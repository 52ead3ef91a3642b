import { cp, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { miniFolder } from '../fixtures/mini.js'
import { testServer } from '../fixtures/server.js'

const entry = fileURLToPath(new URL('../../dist/cli/semblance.js', import.meta.url))

interface Finding {
  topic: string
  status: string
  text: string
}

/** What the command finds, and its exit code. */
function doctor(env: Record<string, string>): Promise<{ code: number; findings: Finding[] }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, 'doctor', '--json'], { env: { PATH: process.env.PATH, ENCODER_WORKERS: '1', DECODE_WORKERS: '1', ...env } }, (error, stdout) =>
      resolve({ code: error ? Number(error.code) : 0, findings: JSON.parse(stdout).findings })
    )
  })
}

t.test('all is well beside a service that runs', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const { api } = await testServer(t, { DATA_DIR: dataDir })
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }] })
  const { code, findings } = await doctor({ DATA_DIR: dataDir })
  t.equal(code, 0)
  t.same(findings.filter(({ status }) => status !== 'ok'), [])
  const text = findings.map((finding) => `${finding.topic}: ${finding.text}`).join('\n')
  t.match(text, /machine: .*Node\.js \d+/)
  t.match(text, /runtime: onnxruntime-node 1\..* knows cpu, webgpu/)
  t.match(text, /mini: asked for cpu; image tower on cpu \(nodes: cpu \d+\), text tower on cpu/)
  t.match(text, /mini: golden values: 8 of 8 texts give the same tokens; least cosine of texts 1\.000000, of 10 images (1\.000000|0\.9999\d\d)/)
  t.match(text, /store: schema 2, the file is sound/)
  t.match(text, /collection things: 1 records/)
  t.match((await api('GET', '/v1/collections/things')).status, 200)
})

t.test('what is wrong is found, and makes the exit code 1', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const { api, close } = await testServer(t, { DATA_DIR: dataDir })
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }] })
  await close()
  const wrong = join(t.testdirName, 'wrong')
  await cp(miniFolder, wrong, { recursive: true })
  await writeFile(join(wrong, 'preprocessor_config.json'), JSON.stringify({ size: { width: 224, height: 224 }, resample: 0, image_mean: [0, 0, 0], image_std: [1, 1, 1] }))
  const { code, findings } = await doctor({ DATA_DIR: dataDir, MODEL: wrong })
  t.equal(code, 1)
  t.match(findings.find(({ status }) => status === 'fail')?.text, /wrong: golden values: 8 of 8 texts.*of 10 images 0\.[0-8]/)
  t.match(findings.find(({ text }) => text.startsWith('collection things')), { status: 'warn', text: /made with 'mini' \([0-9a-f]{12}\), which is not loaded: load it or re-index/ })
  t.match(await doctor({ DATA_DIR: dataDir, MODEL: 'nowhere' }), { code: 1 })
})
