import { join } from 'node:path'
import t from 'tap'
import { MIGRATIONS } from '../../../src/collections/sqlite/migrations.js'
import { runCommand } from '../../fixtures/command.js'
import { inSequence } from '../../fixtures/pattern.js'
import { testServer } from '../../fixtures/server.js'

t.test('all is healthy beside a service that runs', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const { api } = await testServer(t, { DATA_DIR: dataDir })
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }] })
  const { code, stdout } = await runCommand(t, ['doctor', '--json'], {
    DATA_DIR: dataDir,
    ENCODER_WORKERS: '1',
    DECODE_WORKERS: '1'
  })
  t.equal(code, 0)
  const { findings }: { findings: { topic: string; status: string; text: string }[] } = JSON.parse(stdout)
  t.same(
    findings.filter(({ status }) => status !== 'ok'),
    []
  )
  const text = findings.map((finding) => `${finding.topic}: ${finding.text}`).join('\n')
  t.match(text, /machine: .*Node\.js \d+/)
  t.match(text, /runtime: onnxruntime-node 1\..* supports cpu, webgpu/)
  t.match(text, /mini: requested cpu; image tower on cpu \(nodes: cpu \d+\), text tower on cpu/)
  t.match(
    text,
    inSequence(
      /mini: golden values: 8 of 8 texts give the same tokens; /,
      /least cosine of texts 1\.000000, of 10 images (1\.000000|0\.9999\d\d)/
    )
  )
  t.match(text, new RegExp(`store: schema ${MIGRATIONS.length}, the file is sound`))
  t.match(text, /collection things: 1 records/)
  t.match((await api('GET', '/v1/collections/things')).status, 200)
})
