import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runCommand, startCommand } from '../fixtures/command.js'

t.test('serve does what npm start does', async (t) => {
  const dataDir = t.testdir()
  const { child, ended, output } = startCommand(t, ['serve'], { PORT: '0', DATA_DIR: dataDir, DEMO: 'false' })
  const address = () => /listening at (http:\/\/[^"\s]+)/.exec(output())?.[1]
  for (let waited = 0; !address() && waited < 60_000; waited += 50) await sleep(50)
  t.equal((await fetch(`${address()}/health/live`)).status, 200)
  child.kill('SIGTERM')
  t.equal((await ended).code, 0)
  t.match(await runCommand(t, ['serve'], { PORT: 'eighty' }), { code: 1, stdout: '', stderr: /^Semblance can't start: .*PORT/ })
})

t.test('the models commands need nothing of what serving checks', async (t) => {
  t.match(await runCommand(t, ['models', 'list'], { HOST: '0.0.0.0' }), { code: 0, stdout: /^mini +fp32 +fp32 /m })
})

t.test('version, help, and what is not a command', async (t) => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  t.match(await runCommand(t, ['--version']), { code: 0, stdout: `${version}\n` })
  const help = await runCommand(t, ['models', '--help'])
  for (const name of ['pull', 'list', 'verify', 'rm']) t.match(help, { code: 0, stdout: new RegExp(`^ {2}${name} `, 'm') })
  t.match(await runCommand(t, ['modles']), { code: 1, stdout: '', stderr: /^error: unknown command 'modles'/ })
  t.match(await runCommand(t, ['models', 'list', '--jsno']), { code: 1, stdout: '', stderr: /^error: unknown option '--jsno'/ })
})
