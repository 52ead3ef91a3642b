import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runCommand, startCommand } from '../../fixtures/command.js'
import { solid } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'

const env = (dataDir: string) => ({
  DATA_DIR: dataDir,
  MODELS_DIR: join(process.cwd(), 'test/fixtures/towers'),
  MODELS: 'clip',
  ENCODER_WORKERS: '1',
  EXPRESS_WORKER: 'false',
  IMAGE_BATCH_SIZE: '4',
  TEXT_BATCH_SIZE: '32'
})

/** A service of another at the usual address would be used, and these tests would say nothing. */
const isTaken = await fetch('http://localhost:8080/health/live').then(
  () => true,
  () => false
)

t.test(
  'a command serves its data folder itself where nothing does',
  { skip: isTaken && 'something serves at localhost:8080' },
  async (t) => {
    const folder = t.testdir({ data: {}, pictures: {} })
    const own = env(join(folder, 'data'))
    await writeFile(join(folder, 'pictures/red.png'), await solid('red'))
    const says = `Nothing serves at http://localhost:8080; serving ${own.DATA_DIR} for this command.\n`
    t.match(await runCommand(t, ['index', join(folder, 'pictures')], own), {
      code: 0,
      stdout: /1 created/,
      stderr: says
    })
    t.match(
      await runCommand(t, ['search', 'red', '--quiet'], own),
      { code: 0, stdout: /red\.png/, stderr: '' },
      'the folder is free again, and has what was indexed'
    )

    const lines = startCommand(t, ['index', '-'], own, 'pipe')
    for (let waited = 0; !lines.errors().includes('serving') && waited < 30_000; waited += 20) await sleep(20)
    t.match(await runCommand(t, ['search', 'red'], own), {
      code: 69,
      stdout: '',
      stderr: /data folder .* is in use by process \d+.*--url names it\.\n$/
    })
    lines.child.kill('SIGKILL')
    await lines.ended
    t.match(
      await runCommand(t, ['collections', 'list', '--quiet'], own),
      { code: 0, stdout: /images +1 / },
      'however the command ends, so does its service'
    )
    t.match(await runCommand(t, ['collections', 'list'], { ...own, MODELS: 'none' }), {
      code: 69,
      stderr: /^semblance: .*none/
    })
    t.match(
      await runCommand(t, ['collections', 'list'], {
        ...own,
        API_KEYS: 'read:a-key-of-many-characters',
        PORT: '1',
        HOST: '0.0.0.0'
      }),
      { code: 0 },
      'what is configured for serving others does not matter'
    )
  }
)

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
    const { code, stderr } = await runCommand(t, mistake, env(dataDir))
    t.equal(code, 2, mistake.join(' '))
    t.match(stderr, /^semblance: [^\n]*\n$/)
  }
  await t.rejects(access(dataDir), { code: 'ENOENT' })
})

t.test('a service that is named needs its key', async (t) => {
  const { url } = await testServer(t, { ...env(t.testdir()), API_KEYS: 'admin:a-key-of-many-characters' })
  t.match(await runCommand(t, ['collections', 'list', '--url', url]), {
    code: 1,
    stderr: /^semblance: UNAUTHORIZED: /
  })
  t.match(
    await runCommand(t, ['collections', 'list', '--url', `${url}/`, '--api-key', 'a-key-of-many-characters']),
    { code: 0, stdout: /There are no collections/, stderr: '' }
  )
  t.match(await runCommand(t, ['collections', 'list', '--url', 'ftp://x']), { code: 2, stderr: /no http/ })
  for (const key of ['a-secret\nkey', 'a-secret\u00fckey', ' a-secret']) {
    const { code, stdout, stderr } = await runCommand(t, ['collections', 'list', '--url', url], {
      SEMBLANCE_API_KEY: key
    })
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: /^semblance: The API key / })
    t.notMatch(stderr, 'secret')
  }
})
