import { readFile } from 'node:fs/promises'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'

t.test('the models commands need nothing of what serving checks', async (t) => {
  t.match(await callCommand(['models', 'list'], { HOST: '0.0.0.0' }), {
    code: 0,
    stdout: /^mini +fp32 +fp32 /m
  })
})

t.test('version, help, and what is not a command', async (t) => {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'))
  t.match(await callCommand(['--version']), { code: 0, stdout: `${version}\n` })
  const help = await callCommand(['models', '--help'])
  for (const name of ['pull', 'list', 'verify', 'rm'])
    t.match(help, { code: 0, stdout: new RegExp(`^ {2}${name} `, 'm') })
  t.match(await callCommand(['modles']), { code: 2, stdout: '', stderr: /^error: unknown command 'modles'/ })
  t.match(await callCommand(['models', 'list', '--jsno']), {
    code: 2,
    stdout: '',
    stderr: /^error: unknown option '--jsno'/
  })
})
