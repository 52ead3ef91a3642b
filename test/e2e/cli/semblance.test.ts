import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runCommand, startCommand } from '../../fixtures/command.js'
import { startHub } from '../../fixtures/hub.js'
import { tree } from '../../fixtures/pulling.js'

/** The address at which a service says that it listens, within a minute. */
async function listening(output: () => string): Promise<string | undefined> {
  const address = () => /listening at (http:\/\/[^"\s]+)/.exec(output())?.[1]
  for (let waited = 0; !address() && waited < 60_000; waited += 50) await sleep(50)
  return address()
}

t.test('serve does what npm start does', async (t) => {
  const dataDir = t.testdir()
  const { child, ended, output } = startCommand(t, ['serve'], { PORT: '0', DATA_DIR: dataDir, DEMO: 'false' })
  t.equal((await fetch(`${await listening(output)}/health/live`)).status, 200)
  child.kill('SIGTERM')
  t.equal((await ended).code, 0)
  t.match(await runCommand(t, ['serve'], { PORT: 'eighty' }), {
    code: 1,
    stdout: '',
    stderr: /^Semblance can't start: .*PORT/
  })
})

t.test(
  'a package that was pulled, and copied to a machine without internet, is verified and served',
  async (t) => {
    const mini = fileURLToPath(new URL('../../../models/mini', import.meta.url))
    const files = Object.fromEntries(
      Object.entries(await tree(mini)).map(([path, content]) => [
        path,
        { content, lfs: path.endsWith('.onnx') }
      ])
    )
    const hub = await startHub(t, files)
    const [modelsDir, offline] = [t.testdir({ pulled: {}, offline: {} })].flatMap((folder) => [
      join(folder, 'pulled'),
      join(folder, 'offline')
    ])
    t.match(
      await runCommand(t, ['models', 'pull', 'acme/clip'], {
        MODELS_DIR: modelsDir,
        HF_ENDPOINT: hub.endpoint
      }),
      { code: 0 }
    )
    await cp(join(modelsDir, 'acme'), join(offline, 'acme'), { recursive: true })
    t.same(await runCommand(t, ['models', 'verify'], { MODELS_DIR: offline }), {
      code: 0,
      stdout: 'acme/clip: whole\n',
      stderr: ''
    })
    const { child, ended, output } = startCommand(t, ['serve'], {
      PORT: '0',
      DATA_DIR: t.testdirName,
      DEMO: 'false',
      MODELS_DIR: offline,
      MODEL: 'acme/clip'
    })
    const answer = await fetch(`${await listening(output)}/v1/models`)
    t.match(await answer.json(), { models: [{ family: 'clip', dimension: 256 }] })
    child.kill('SIGTERM')
    t.equal((await ended).code, 0)
  }
)

t.test('the models commands need nothing of what serving checks', async (t) => {
  t.match(await runCommand(t, ['models', 'list'], { HOST: '0.0.0.0' }), {
    code: 0,
    stdout: /^mini +fp32 +fp32 /m
  })
})

t.test('version, help, and what is not a command', async (t) => {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'))
  t.match(await runCommand(t, ['--version']), { code: 0, stdout: `${version}\n` })
  const help = await runCommand(t, ['models', '--help'])
  for (const name of ['pull', 'list', 'verify', 'rm'])
    t.match(help, { code: 0, stdout: new RegExp(`^ {2}${name} `, 'm') })
  t.match(await runCommand(t, ['modles']), {
    code: 2,
    stdout: '',
    stderr: /^error: unknown command 'modles'/
  })
  t.match(await runCommand(t, ['models', 'list', '--jsno']), {
    code: 2,
    stdout: '',
    stderr: /^error: unknown option '--jsno'/
  })
})
