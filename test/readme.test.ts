import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { environmentSchema } from '../src/config.js'
import { testServer, type Api } from './fixtures/server.js'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

t.test('the configuration table lists every setting as the code has it', async (t) => {
  const rows = Object.entries(environmentSchema.properties).map(([name, schema]) => {
    const { default: value, description } = schema as unknown as { default: unknown; description: string }
    // What depends on the machine is described, not printed.
    const machine: Record<string, string> = { MODELS_DIR: 'the package\'s `models`', DECODE_WORKERS: 'cores' }
    const shown = machine[name] ?? (value === '' ? '' : `\`${value}\``)
    return `| \`${name}\` | ${shown} | ${description} |`
  })
  const table = ['| name | default | what |', '| --- | --- | --- |', ...rows].join('\n')
  t.equal(readme.split('<!-- configuration -->')[1]?.split('<!-- /configuration -->')[0].trim(), table)
})

/** The emoji that the commands name, with their pictures. */
async function emojiCollection(api: Api): Promise<void> {
  const require = createRequire(import.meta.url)
  const folder = join(dirname(require.resolve('@lobehub/fluent-emoji-3d/package.json')), 'assets')
  const named = { '1f355': 'pizza', '1f40e': 'horse', '1f34e': 'red apple', '1f408': 'cat' }
  const records = await Promise.all(
    Object.entries(named).map(async ([id, text]) => ({ id, text, metadata: { group: 'food & drink' }, image: { base64: (await readFile(join(folder, `${id}.webp`))).toString('base64') } }))
  )
  await api('PUT', '/v1/collections/emoji')
  await api('POST', '/v1/collections/emoji/records', { records })
}

for (const page of ['README.md', 'docs/api.md']) {
  t.test(`every command of ${page} runs as it stands`, async (t) => {
    const folder = t.testdir({ data: {}, pictures: {} })
    const { url, api } = await testServer(t, { DATA_DIR: `${folder}/data` })
    await emojiCollection(api)
    const text = await readFile(new URL(`../${page}`, import.meta.url), 'utf8')
    const commands = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block).filter((block) => /curl|^U=/m.test(block))
    t.ok(commands.length >= 5)
    const script = ['set -euo pipefail', 'curl() { command curl --fail-with-body "$@"; echo; }', ...commands].join('\n').replaceAll('http://localhost:8080', url)
    const { stdout, code = 0 } = await promisify(execFile)('bash', ['-c', script], { cwd: `${folder}/pictures`, maxBuffer: 1 << 24 }).catch((error) => error)
    t.equal(code, 0, 'to the last command')
    const answers = (stdout as string).trim().split('\n')
    t.notMatch(stdout, /^\{"error"/m, answers.at(-1) ?? '')
    t.ok(answers.length >= text.match(/^curl /gm)!.length - 2, `${answers.length} answers`)
  })
}
