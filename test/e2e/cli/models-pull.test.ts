import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { runCommand, startCommand, type CommandProcess } from '../../fixtures/command.js'
import { huggingFaceFiles, startHub, type TestHub } from '../../fixtures/hub.js'
import { startProxy } from '../../fixtures/proxy.js'
import { FP32, isWhole } from '../../fixtures/pulling.js'
import { inSequence } from '../../fixtures/pattern.js'
import { uniform } from '../../fixtures/random.js'

const PULL = ['models', 'pull', 'acme/clip']

/** Bytes of downloads that are under way. */
async function underWay(modelsDir: string, { commit }: TestHub): Promise<number> {
  const folder = join(modelsDir, '.pulling/acme--clip', commit)
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (entry) => (entry.isFile() ? entry.size : 0),
        () => 0
      )
    )
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Waits until so many bytes have come, or half a minute. */
async function arrived(modelsDir: string, hub: TestHub, bytes: number): Promise<void> {
  for (let waited = 0; (await underWay(modelsDir, hub)) < bytes && waited < 30_000; waited += 20)
    await sleep(20)
}

async function saidToWait({ errors }: CommandProcess): Promise<void> {
  for (let waited = 0; !errors().includes('waiting') && waited < 30_000; waited += 20) await sleep(20)
}

t.test(
  'killed midway again and again, it continues to a package that is the same byte for byte',
  async (t) => {
    const hub = await startHub(t, huggingFaceFiles(3_000_000))
    hub.speed = 1_500_000
    const modelsDir = t.testdir()
    const env = { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint }
    const kills = 3
    for (let round = 1; round <= kills; round++) {
      const { child, ended } = startCommand(t, PULL, env)
      await arrived(modelsDir, hub, round * 1_000_000)
      await sleep(uniform() * 200)
      child.kill('SIGKILL')
      t.equal((await ended).code, 'SIGKILL', `kill ${round}`)
      t.equal(await stat(join(modelsDir, 'acme')).catch(() => 'none'), 'none', 'no half package')
    }
    hub.speed = Infinity
    t.equal((await callCommand(PULL, env)).code, 0)
    await isWhole(t, modelsDir, hub)
    const [large, whole] = [
      hub.requests.filter(({ path }) => /vision_model\.onnx(\?|$)/.test(path) && path.startsWith('/blobs')),
      hub.requests.filter(({ range }) => !range)
    ]
    t.ok(large.length > 1)
    t.same(
      large.slice(1).filter(({ range, status }) => !range || status !== 206),
      [],
      'after the first request only what lacked was asked for'
    )
    t.equal(whole.filter(({ path }) => path.startsWith('/blobs/')).length, FP32.length + 1)
  }
)

t.test('SIGINT keeps what has come, and says how to continue', async (t) => {
  const hub = await startHub(t, huggingFaceFiles(1_000_000))
  hub.speed = 500_000
  const modelsDir = t.testdir()
  const env = { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint }
  const { child, ended } = startCommand(t, PULL, env)
  await arrived(modelsDir, hub, 400_000)
  child.kill('SIGINT')
  const { code, stderr, stdout } = await ended
  t.match({ code, stdout }, { code: 130, stdout: '' })
  t.match(stderr, /\nStopped\. Downloaded data is kept: run the same command again to continue\.\n$/)
  hub.speed = Infinity
  const again = await callCommand(PULL, env)
  t.match(again, { code: 0, stderr: /of which [\d.]+ kB are already downloaded/ })
  await isWhole(t, modelsDir, hub)
})

t.test('commands at the same time take turns', async (t) => {
  const hub = await startHub(t)
  // Slow enough that the first is still at work when a busy machine has started the second.
  hub.speed = 10_000
  const modelsDir = t.testdir()
  const env = { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint }
  const first = startCommand(t, PULL, env)
  await arrived(modelsDir, hub, 1000)
  const second = startCommand(t, PULL, env)
  await saidToWait(second)
  hub.speed = Infinity
  t.equal((await first.ended).code, 0)
  t.match(await second.ended, {
    code: 0,
    stdout: /already up to date/,
    stderr: new RegExp(
      `^Another pull of this repository is running \\(process ${first.child.pid} on .*\\): waiting for ` +
        `it\\.\\n$`
    )
  })
  await isWhole(t, modelsDir, hub)
})

t.test('a command that waits for one that is killed continues where that ended', async (t) => {
  const hub = await startHub(t)
  hub.speed = 10_000
  const modelsDir = t.testdir()
  const env = { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint }
  const first = startCommand(t, PULL, env)
  await arrived(modelsDir, hub, 20_000)
  const second = startCommand(t, PULL, env)
  await saidToWait(second)
  hub.speed = Infinity
  first.child.kill('SIGKILL')
  t.match(await second.ended, { code: 0, stderr: /are already downloaded/ })
  await isWhole(t, modelsDir, hub)
})

t.test('through a proxy go all requests, and with HF_TOKEN only those of the hub carry it', async (t) => {
  const hub = await startHub(t)
  const { endpoint, cdn } = hub
  hub.token = 'hf_secret'
  hub.cdn = 'http://cdn.test'
  const proxy = await startProxy(t, { 'hub.test': endpoint, 'cdn.test': cdn })
  const modelsDir = t.testdir()
  const env = {
    MODELS_DIR: modelsDir,
    HF_ENDPOINT: 'http://hub.test',
    HTTP_PROXY: proxy.address,
    HF_TOKEN: 'hf_secret'
  }
  t.match(await runCommand(t, PULL, env), { code: 0 })
  await isWhole(t, modelsDir, hub)
  t.same([...new Set(proxy.hosts)], ['hub.test', 'cdn.test'])
  t.same([...new Set(hub.requests.map(({ server, authorization }) => `${server} ${authorization}`))].sort(), [
    'cdn undefined',
    'hub Bearer hf_secret'
  ])
  t.notMatch(await readFile(join(modelsDir, 'acme/clip/semblance.lock.json'), 'utf8'), 'hf_secret')

  proxy.hosts.length = 0
  hub.cdn = cdn
  t.match(
    await runCommand(t, [...PULL, '--variant', 'fp16'], {
      ...env,
      HF_ENDPOINT: endpoint,
      NO_PROXY: '127.0.0.1'
    }),
    { code: 0 }
  )
  t.same(proxy.hosts, [], 'NO_PROXY goes past it')
  t.match(await runCommand(t, PULL, { ...env, HF_ENDPOINT: 'http://other.test' }), {
    code: 1,
    stderr: inSequence(
      /^semblance: The proxy answered 403 to the request for other\.test: /,
      /check HTTP_PROXY, HTTPS_PROXY and NO_PROXY\.\n$/
    )
  })
})
