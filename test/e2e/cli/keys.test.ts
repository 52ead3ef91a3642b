import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { startProcess } from '../../fixtures/service.js'

t.test('a running service takes keys up, drops them, and survives SIGHUP', async (t) => {
  const folder = t.testdir({ data: {} })
  const env = { API_KEYS_FILE: join(folder, 'keys.json') }
  const key = async (name: string) =>
    (await callCommand(['keys', 'create', '--name', name, '--scope', 'read'], env)).stdout.trim()
  const first = await key('first')
  const { url, child, ended, output } = await startProcess(t, {
    ...env,
    AUDIT_LOG: join(folder, 'audit.log'),
    DATA_DIR: join(folder, 'data'),
    DEMO: 'false'
  })
  const status = async (key: string) =>
    (await fetch(`${url}/v1/models`, { headers: { 'x-api-key': key } })).status
  const becomes = async (key: string, wanted: number) => {
    for (let waited = 0; (await status(key)) !== wanted && waited < 20_000; waited += 250) await sleep(250)
    return status(key)
  }
  t.equal(await status(first), 200)
  const second = await key('second')
  t.equal(await becomes(second, 200), 200)
  await callCommand(['keys', 'revoke', 'first'], env)
  t.equal(await becomes(first, 401), 401)
  await writeFile(env.API_KEYS_FILE, 'broken')
  child.kill('SIGHUP')
  for (let waited = 0; !/can't be used/.test(output()) && waited < 20_000; waited += 50) await sleep(50)
  t.match(output(), /previous keys stay in force/)
  t.equal(await status(second), 200)
  child.kill('SIGTERM')
  t.equal(await ended, 0)
  for (const secret of [first, second]) t.notOk(output().includes(secret))
  const audit = await readFile(join(folder, 'audit.log'), 'utf8')
  t.match(audit, /"operation":"reloadKeys","added":\["second"\]/)
  t.match(audit, /"status":401/)
})
