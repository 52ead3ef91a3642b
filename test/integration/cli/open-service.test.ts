import { access } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { testServer } from '../../fixtures/server.js'

t.test('a mistake on the command line is told before there is a service', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  for (const mistake of [
    ['search'],
    ['search', '--minus', 'x'],
    ['classify', 'x.png'],
    ['classify', 'x.png', '-l', 'a'],
    ['index', 'nowhere'],
    ['index', '/etc/hostname']
  ]) {
    const { code, stderr } = await callCommand(mistake, { DATA_DIR: dataDir })
    t.equal(code, 2, mistake.join(' '))
    t.match(stderr, /^semblance: [^\n]*\n$/)
  }
  await t.rejects(access(dataDir), { code: 'ENOENT' })
})

t.test('a service that is named needs its key', async (t) => {
  const { url } = await testServer(t, {
    MODELS_DIR: 'test/fixtures/towers',
    MODELS: 'clip',
    API_KEYS: 'admin:a-key-of-many-characters'
  })
  t.match(await callCommand(['collections', 'list', '--url', url]), {
    code: 1,
    stderr: /^semblance: UNAUTHORIZED: /
  })
  t.match(
    await callCommand(['collections', 'list', '--url', `${url}/`, '--api-key', 'a-key-of-many-characters']),
    { code: 0, stdout: /There are no collections/, stderr: '' }
  )
  t.match(await callCommand(['collections', 'list', '--url', 'ftp://x']), {
    code: 2,
    stderr: /'ftp:\/\/x' is not an http or https URL/
  })
  for (const key of ['a-secret\nkey', 'a-secret\u00fckey', ' a-secret']) {
    const { code, stdout, stderr } = await callCommand(['collections', 'list', '--url', url], {
      SEMBLANCE_API_KEY: key
    })
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: /^semblance: The API key / })
    t.notMatch(stderr, 'secret')
  }
})
