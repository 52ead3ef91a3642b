import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { runCommand, startCommand } from '../../fixtures/command.js'
import { startHub } from '../../fixtures/hub.js'
import { tree } from '../../fixtures/pulling.js'
import { SMALL } from '../../fixtures/service.js'

/** The address at which a service says that it listens, within a minute. */
async function listening(output: () => string): Promise<string | undefined> {
  const address = () => /listening at (http:\/\/[^"\s]+)/.exec(output())?.[1]
  for (let waited = 0; !address() && waited < 60_000; waited += 50) await sleep(50)
  return address()
}

t.test('what keeps serve from starting is said, with exit code 1', async (t) => {
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
      await callCommand(['models', 'pull', 'acme/clip'], {
        MODELS_DIR: modelsDir,
        HF_ENDPOINT: hub.endpoint
      }),
      { code: 0 }
    )
    await cp(join(modelsDir, 'acme'), join(offline, 'acme'), { recursive: true })
    t.same(await callCommand(['models', 'verify'], { MODELS_DIR: offline }), {
      code: 0,
      stdout: 'acme/clip: whole\n',
      stderr: ''
    })
    const { child, ended, output } = startCommand(t, ['serve'], {
      PORT: '0',
      DATA_DIR: t.testdirName,
      DEMO: 'false',
      MODELS_DIR: offline,
      MODEL: 'acme/clip',
      ...SMALL
    })
    const url = await listening(output)
    t.equal((await fetch(`${url}/health/live`)).status, 200)
    const answer = await fetch(`${url}/v1/models`)
    t.match(await answer.json(), { models: [{ family: 'clip', dimension: 256 }] })
    child.kill('SIGTERM')
    t.equal((await ended).code, 0)
  }
)

t.test('output and exit code are those of the process', async (t) => {
  t.match(await runCommand(t, ['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
  t.match(await runCommand(t, ['modles']), {
    code: 2,
    stdout: '',
    stderr: /^error: unknown command 'modles'/
  })
})

t.test('a reader that has enough ends the command without an error', async (t) => {
  const { child, ended } = startCommand(t, ['--help'])
  child.stdout!.destroy()
  t.match(await ended, { code: 0, stderr: '' })
})
