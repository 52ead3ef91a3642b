import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { environmentSchema } from '../src/config.js'
import { golden } from './fixtures/images.js'
import { testServer } from './fixtures/server.js'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

t.test('the configuration table lists every setting as the code has it', async (t) => {
  const rows = Object.entries(environmentSchema.properties).map(([name, schema]) => {
    const { default: value, description } = schema as unknown as { default: unknown; description: string }
    // What depends on the machine is described, not printed.
    const machine: Record<string, string> = { MODELS_DIR: 'the package\'s `models`', ENCODER_WORKERS: 'cores', DECODE_WORKERS: 'cores' }
    const shown = machine[name] ?? (value === '' ? '' : `\`${value}\``)
    return `| \`${name}\` | ${shown} | ${description} |`
  })
  const table = ['| name | default | what |', '| --- | --- | --- |', ...rows].join('\n')
  t.equal(readme.split('<!-- configuration -->')[1]?.split('<!-- /configuration -->')[0].trim(), table)
})

t.test('every curl command runs as it stands', async (t) => {
  const folder = t.testdir({ data: {}, pictures: {} })
  const { url, api } = await testServer(t, { DATA_DIR: `${folder}/data` })
  await api('PUT', '/v1/collections/emoji')
  await api('POST', '/v1/collections/emoji/records', { records: [{ id: '1f355', text: 'pizza', image: { base64: (await golden('portrait.jpg')).toString('base64') } }] })
  const commands = readme.split('\n').filter((line) => line.startsWith('curl '))
  t.ok(commands.length >= 10)
  for (const command of commands) {
    const { stdout } = await promisify(execFile)('bash', ['-c', command.replace('curl -s', 'curl -s --fail-with-body').replaceAll('http://localhost:8080', url)], { cwd: `${folder}/pictures` })
    t.notMatch(stdout, /^\{"error"/, command)
  }
})
