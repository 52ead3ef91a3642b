import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { solid } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'

const { url, api } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip' })
const entry = fileURLToPath(new URL('../../../dist/cli/semblance.js', import.meta.url))
const colours = ['red', 'green', 'blue']
const records = await Promise.all(
  colours.map(async (colour) => ({
    id: `${colour}.png`,
    image: { base64: (await solid(colour, { width: 500, height: 400 })).toString('base64') }
  }))
)
await api('PUT', '/v1/collections/colours')
await api('POST', '/v1/collections/colours/records', { records })

/** What a terminal gets to see that says of itself what the environment says. */
async function onTerminal(env: Record<string, string>, args: string[]): Promise<string> {
  const child = spawn('script', ['-qec', `${process.execPath} ${entry} ${args.join(' ')}`, '/dev/null'], {
    env: { PATH: process.env.PATH, SEMBLANCE_URL: url, ...env },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let seen = ''
  child.stdout.on('data', (chunk) => (seen += chunk))
  await once(child, 'close')
  return seen
}

t.test('pictures in a terminal that shows them', async (t) => {
  const kitty = await onTerminal({ TERM: 'xterm-kitty' }, ['search', 'x', '-n', '2'])
  const pictures = [...kitty.matchAll(/\u001b_Ga=T,f=100,r=8,q=2,m=0;([A-Za-z0-9+/=]+)\u001b\\/g)].map(
    ([, base64]) => Buffer.from(base64, 'base64')
  )
  t.equal(pictures.length, 2)
  for (const picture of pictures) t.equal(picture.subarray(1, 4).toString(), 'PNG')
})

t.test('bash completes with the script that completion prints', async (t) => {
  const { stdout: script } = await callCommand(['completion', 'bash'])
  const bash = spawn(
    'bash',
    [
      '-c',
      `semblance() { ${process.execPath} ${entry} "$@"; }\n${script}\nCOMP_WORDS=(semblance ` +
        `collections s); COMP_CWORD=2; _semblance; echo "\${COMPREPLY[@]}"`
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  let completed = ''
  bash.stdout.on('data', (chunk) => (completed += chunk))
  await once(bash, 'close')
  t.equal(completed, 'show\n')
})
