import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { runCommand, startCommand, type CommandProcess } from '../../fixtures/command.js'
import { huggingFaceFiles, startHub, type TestHub } from '../../fixtures/hub.js'
import { startProxy } from '../../fixtures/proxy.js'
import { contents, FP16, FP32, SETTINGS, tree } from '../../fixtures/pulling.js'
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

async function isWhole(t: Test, modelsDir: string, hub: TestHub): Promise<void> {
  const { 'semblance.lock.json': lock, ...files } = await tree(join(modelsDir, 'acme/clip'))
  t.same(files, contents(hub, [...SETTINGS, ...FP32]))
  t.equal(JSON.parse(lock.toString()).commit, hub.commit)
}

t.test(
  'a pull says what it does and where the model is; a second one that there is nothing to do',
  async (t) => {
    const hub = await startHub(t)
    const modelsDir = t.testdir()
    const first = await runCommand(t, PULL, { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint })
    t.match(first, {
      code: 0,
      stdout:
        `Pulled acme/clip@${hub.commit.slice(0, 12)} (fp32): 10 files downloaded, 950.1 kB, into ` +
        `${modelsDir}/acme/clip.\n`
    })
    t.match(
      first.stderr,
      inSequence(
        /^2 files to download of commit [0-9a-f]{12}, 600\.1 kB\.\n[^\u001b]*/,
        /8 files to download of commit [0-9a-f]{12}, 350\.1 kB\.\n[^\u001b]*/,
        /total +\[=+\] 950\.1 kB of 950\.1 kB, .*done/
      )
    )
    await isWhole(t, modelsDir, hub)
    t.same(await runCommand(t, PULL, { MODELS_DIR: modelsDir, HF_ENDPOINT: `${hub.endpoint}/` }), {
      code: 0,
      stdout: `acme/clip@${hub.commit.slice(0, 12)} (fp32) is there already: nothing to do.\n`,
      stderr: ''
    })
  }
)

t.test('the variant: an option before MODEL_VARIANT; the folder: an option before MODELS_DIR', async (t) => {
  const hub = await startHub(t)
  const [elsewhere, modelsDir, other] = ['elsewhere', 'models', 'other'].map((name) =>
    join(t.testdirName, name)
  )
  t.testdir({ elsewhere: {}, models: {}, other: {} })
  const env = { MODELS_DIR: elsewhere, HF_ENDPOINT: hub.endpoint, MODEL_VARIANT: 'fp16' }
  t.match(await runCommand(t, [...PULL, '--models-dir', modelsDir], env), { code: 0, stdout: /\(fp16\)/ })
  t.same(
    Object.keys(await tree(join(modelsDir, 'acme/clip/onnx'))).map((name) => `onnx/${name}`),
    FP16
  )
  t.match(await runCommand(t, [...PULL, '--models-dir', other, '--variant', 'fp32'], env), {
    code: 0,
    stdout: /\(fp32\)/
  })
  t.same(await tree(elsewhere), {})
  t.match(await runCommand(t, [...PULL, '--models-dir', other, '--variant', 'q4'], env), {
    code: 1,
    stdout: '',
    stderr:
      'semblance: The repository has no text tower in variant q4. It has image tower fp32, fp16, q4; ' +
      'text tower fp32, fp16.\n'
  })
})

t.test('killed midway again and again, it goes on to a package that is the same byte for byte', async (t) => {
  const hub = await startHub(t, huggingFaceFiles(3_000_000))
  hub.speed = 1_500_000
  const modelsDir = t.testdir()
  const env = { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint }
  const kills = 5
  for (let round = 1; round <= kills; round++) {
    const { child, ended } = startCommand(t, PULL, env)
    await arrived(modelsDir, hub, round * 1_000_000)
    await sleep(uniform() * 200)
    child.kill('SIGKILL')
    t.equal((await ended).code, 'SIGKILL', `kill ${round}`)
    t.equal(await stat(join(modelsDir, 'acme')).catch(() => 'none'), 'none', 'no half package')
  }
  hub.speed = Infinity
  t.equal((await runCommand(t, PULL, env)).code, 0)
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
})

t.test('SIGINT keeps what has come, and says how to go on', async (t) => {
  const hub = await startHub(t, huggingFaceFiles(1_000_000))
  hub.speed = 500_000
  const modelsDir = t.testdir()
  const env = { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint }
  const { child, ended } = startCommand(t, PULL, env)
  await arrived(modelsDir, hub, 400_000)
  child.kill('SIGINT')
  const { code, stderr, stdout } = await ended
  t.match({ code, stdout }, { code: 130, stdout: '' })
  t.match(stderr, /\nStopped\. What was downloaded stays: the same command goes on from there\.\n$/)
  hub.speed = Infinity
  const again = await runCommand(t, PULL, env)
  t.match(again, { code: 0, stderr: /of which [\d.]+ kB are there from before/ })
  await isWhole(t, modelsDir, hub)
})

t.test('commands at the same time take turns', async (t) => {
  const hub = await startHub(t)
  hub.speed = 50_000
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
    stdout: /nothing to do/,
    stderr: new RegExp(
      `^Another pull of this repository runs \\(process ${first.child.pid} on .*\\): waiting for it\\.\\n$`
    )
  })
  await isWhole(t, modelsDir, hub)
})

t.test('a command that waits for one that is killed goes on where that ended', async (t) => {
  const hub = await startHub(t)
  hub.speed = 50_000
  const modelsDir = t.testdir()
  const env = { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint }
  const first = startCommand(t, PULL, env)
  await arrived(modelsDir, hub, 20_000)
  const second = startCommand(t, PULL, env)
  await saidToWait(second)
  hub.speed = Infinity
  first.child.kill('SIGKILL')
  t.match(await second.ended, { code: 0, stderr: /are there from before/ })
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
      /^semblance: The proxy answers 403 when asked for other\.test: /,
      /see to HTTP_PROXY, HTTPS_PROXY and NO_PROXY\.\n$/
    )
  })
})

t.test("what can't be pulled is one line that says what to do, and an exit code", async (t) => {
  const hub = await startHub(t)
  const env = { MODELS_DIR: t.testdir({ file: '' }), HF_ENDPOINT: hub.endpoint }
  const fails = async (
    line: RegExp,
    { args = PULL, ...other }: Record<string, string | string[]> = {},
    exitCode = 1
  ) => {
    const { code, stdout, stderr } = await runCommand(t, args as string[], {
      ...env,
      ...(other as Record<string, string>)
    })
    t.match({ code, stdout, stderr }, { code: exitCode, stdout: '', stderr: line })
    t.equal(stderr.split('\n').length, 2, 'one line')
  }
  await fails(
    /^semblance: 127\.0\.0\.1:9 can't be reached \(ECONNREFUSED\): check the connection, set HF_ENDPOINT/,
    { HF_ENDPOINT: 'http://127.0.0.1:9' }
  )
  await fails(/^semblance: nowhere\.invalid can't be reached \((ENOTFOUND|EAI_AGAIN)\)/, {
    HF_ENDPOINT: 'http://nowhere.invalid'
  })
  await fails(/^semblance: HF_ENDPOINT 'nowhere' is not an http\(s\) address/, { HF_ENDPOINT: 'nowhere' })
  await fails(/has no repository acme\/other, or it has no revision 'main' \(404\): check both/, {
    args: ['models', 'pull', 'acme/other']
  })
  await fails(/acme\/clip has no revision 'v9' \(404\)/, { args: ['models', 'pull', 'acme/clip@v9'] })
  await fails(/'\.\.\/evil' is not a repository's name/, { args: ['models', 'pull', '../evil'] })
  await fails(/MODELS_DIR .*\/file can't be written to \(ENOTDIR\)/, { MODELS_DIR: `${env.MODELS_DIR}/file` })
  await fails(
    /argument 'fp8' is invalid\. Allowed choices are fp32,/,
    { args: [...PULL, '--variant', 'fp8'] },
    2
  )
  await fails(/MODEL_VARIANT/, { MODEL_VARIANT: 'fp8' })
  hub.token = 'hf_secret'
  await fails(/acme\/clip is private, gated or not there \(401\): check the name, or set HF_TOKEN/)
  await fails(/refuses the HF_TOKEN for acme\/clip \(401\)/, { HF_TOKEN: 'hf_other' })
})

t.test('wrong bytes: one line names the file', async (t) => {
  const hub = await startHub(t)
  hub.faults['onnx/text_model.onnx'] = [{ kind: 'wrong' }]
  const { code, stderr } = await runCommand(t, PULL, { MODELS_DIR: t.testdir(), HF_ENDPOINT: hub.endpoint })
  t.equal(code, 1)
  t.match(
    stderr,
    inSequence(
      /\nsemblance: onnx\/text_model.onnx has the wrong checksum: /,
      /expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}\. .*\n$/
    )
  )
})
