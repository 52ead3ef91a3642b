import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'

t.test('keys create, list, revoke', async (t) => {
  const path = join(t.testdir(), 'new/keys.json')
  const env = { API_KEYS_FILE: path }
  const made = await callCommand(
    [
      'keys',
      'create',
      '--name',
      'app',
      '--scope',
      'write',
      '--collections',
      'photos,tenant-a-*',
      '--rate-limit',
      '100',
      '--expires',
      '90d'
    ],
    env
  )
  t.match(made, { code: 0, stdout: /^smb_[A-Za-z0-9_-]{43}\n$/, stderr: /Added 'app'/ })
  const text = await readFile(path, 'utf8')
  t.notOk(text.includes(made.stdout.trim()), 'the key is not kept')
  t.equal((await stat(path)).mode & 0o777, 0o600)
  const [key] = JSON.parse(text).keys
  t.match(key, {
    name: 'app',
    scope: 'write',
    collections: ['photos', 'tenant-a-*'],
    rate_limit_per_minute: 100,
    sha256: /^[0-9a-f]{64}$/
  })
  t.equal(Math.round((Date.parse(key.expires_at) - Date.parse(key.created_at)) / 86_400_000), 90)
  t.match(await callCommand(['keys', 'create', '--name', 'app', '--scope', 'read'], env), {
    code: 1,
    stdout: '',
    stderr: /already has a key 'app'/
  })
  t.match(await callCommand(['keys', 'create', '--name', 'boss', '--scope', 'admin', '--file', path]), {
    code: 0,
    stdout: /^smb_/
  })
  const listed = await callCommand(['keys', 'list'], env)
  t.match(listed, {
    code: 0,
    stdout: /^NAME +SCOPE +COLLECTIONS[\s\S]*app +write +photos,tenant-a-\* +100 [\s\S]*boss +admin +all +- /,
    stderr: ''
  })
  t.notMatch(listed.stdout + (await callCommand(['keys', 'list', '--json'], env)).stdout, key.sha256)
  t.match(await callCommand(['keys', 'revoke', 'app'], env), { code: 0, stdout: "Revoked 'app'.\n" })
  t.match(await callCommand(['keys', 'revoke', 'app'], env), { code: 1, stderr: /There is no key 'app'/ })
  t.same(
    JSON.parse(await readFile(path, 'utf8')).keys.map(({ name }: { name: string }) => name),
    ['boss']
  )
})

t.test('what cannot be done is said', async (t) => {
  const folder = t.testdir({ 'broken.json': '{' })
  t.match(await callCommand(['keys', 'list']), { code: 1, stderr: /set --file or API_KEYS_FILE/ })
  t.match(await callCommand(['keys', 'revoke', 'x', '--file', join(folder, 'none.json')]), {
    code: 1,
    stderr: /none\.json does not exist/
  })
  t.match(
    await callCommand([
      'keys',
      'create',
      '--name',
      'x',
      '--scope',
      'read',
      '--file',
      join(folder, 'broken.json')
    ]),
    { code: 1, stdout: '', stderr: /broken\.json is not JSON/ }
  )
  const create = (...more: string[]) =>
    callCommand(['keys', 'create', '--file', join(folder, 'keys.json'), ...more])
  t.match(await create('--name', 'x'), { code: 2, stdout: '', stderr: /--scope/ })
  t.match(await create('--name', 'x', '--scope', 'root'), { code: 2, stderr: /read, write, admin/ })
  t.match(await create('--name', 'x y', '--scope', 'read'), { code: 1, stdout: '', stderr: /name/ })
  t.match(await create('--name', 'x', '--scope', 'read', '--collections', 'Photos'), {
    code: 1,
    stdout: '',
    stderr: /collections/
  })
  t.match(await create('--name', 'x', '--scope', 'read', '--expires', 'soon'), { code: 2, stderr: /90d/ })
  t.match(await create('--name', 'x', '--scope', 'read', '--rate-limit', 'many'), {
    code: 2,
    stderr: /number/
  })
})
