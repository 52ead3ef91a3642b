import { join } from 'node:path'
import t from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { startHub } from '../../fixtures/hub.js'
import { FP16, isWhole, tree } from '../../fixtures/pulling.js'
import { inSequence } from '../../fixtures/pattern.js'

const PULL = ['models', 'pull', 'acme/clip']

t.test(
  'a pull says what it does and where the model is; a second one that there is nothing to do',
  async (t) => {
    const hub = await startHub(t)
    const modelsDir = t.testdir()
    const first = await callCommand(PULL, { MODELS_DIR: modelsDir, HF_ENDPOINT: hub.endpoint })
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
    t.same(await callCommand(PULL, { MODELS_DIR: modelsDir, HF_ENDPOINT: `${hub.endpoint}/` }), {
      code: 0,
      stdout: `acme/clip@${hub.commit.slice(0, 12)} (fp32) is already up to date.\n`,
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
  t.match(await callCommand([...PULL, '--models-dir', modelsDir], env), { code: 0, stdout: /\(fp16\)/ })
  t.same(
    Object.keys(await tree(join(modelsDir, 'acme/clip/onnx'))).map((name) => `onnx/${name}`),
    FP16
  )
  t.match(await callCommand([...PULL, '--models-dir', other, '--variant', 'fp32'], env), {
    code: 0,
    stdout: /\(fp32\)/
  })
  t.same(await tree(elsewhere), {})
  t.match(await callCommand([...PULL, '--models-dir', other, '--variant', 'q4'], env), {
    code: 1,
    stdout: '',
    stderr:
      'semblance: The repository has no text tower in variant q4. It has image tower fp32, fp16, q4; ' +
      'text tower fp32, fp16.\n'
  })
})

t.test("what can't be pulled is one line that says what to do, and an exit code", async (t) => {
  const hub = await startHub(t)
  const env = { MODELS_DIR: t.testdir({ file: '' }), HF_ENDPOINT: hub.endpoint }
  const wrong: object[] = []
  const fails = async (
    line: RegExp,
    { args = PULL, ...other }: { args?: string[] } & Record<string, string | string[]> = {},
    exitCode = 1
  ) => {
    const ended = await callCommand(args, { ...env, ...(other as Record<string, string>) })
    const { code, stdout, stderr } = ended
    const isOneLine = stderr.split('\n').length === 2
    if (code !== exitCode || stdout !== '' || !line.test(stderr) || !isOneLine)
      wrong.push({ ...ended, expected: [exitCode, line] })
  }
  await fails(
    /^semblance: 127\.0\.0\.1:9 can't be reached \(ECONNREFUSED\): check the connection, or set HF_ENDPOINT/,
    { HF_ENDPOINT: 'http://127.0.0.1:9' }
  )
  await fails(/^semblance: nowhere\.invalid can't be reached \((ENOTFOUND|EAI_AGAIN)\)/, {
    HF_ENDPOINT: 'http://nowhere.invalid'
  })
  await fails(/^semblance: HF_ENDPOINT must be an http or https URL, not 'nowhere'/, {
    HF_ENDPOINT: 'nowhere'
  })
  await fails(/has no repository acme\/other, or it has no revision 'main' \(404\): check both/, {
    args: ['models', 'pull', 'acme/other']
  })
  await fails(/acme\/clip has no revision 'v9' \(404\)/, { args: ['models', 'pull', 'acme/clip@v9'] })
  await fails(/'\.\.\/evil' is not a repository name/, { args: ['models', 'pull', '../evil'] })
  await fails(/MODELS_DIR .*\/file can't be written to \(ENOTDIR\)/, { MODELS_DIR: `${env.MODELS_DIR}/file` })
  await fails(
    /argument 'fp8' is invalid\. Allowed choices are fp32,/,
    { args: [...PULL, '--variant', 'fp8'] },
    2
  )
  await fails(/MODEL_VARIANT/, { MODEL_VARIANT: 'fp8' })
  hub.token = 'hf_secret'
  await fails(/acme\/clip is private, gated or does not exist \(401\): check the name, or set HF_TOKEN/)
  await fails(/rejects the HF_TOKEN for acme\/clip \(401\)/, { HF_TOKEN: 'hf_other' })
  t.same(wrong, [])
})

t.test('wrong bytes: one line names the file', async (t) => {
  const hub = await startHub(t)
  hub.faults['onnx/text_model.onnx'] = [{ kind: 'wrong' }]
  const { code, stderr } = await callCommand(PULL, { MODELS_DIR: t.testdir(), HF_ENDPOINT: hub.endpoint })
  t.equal(code, 1)
  t.match(
    stderr,
    inSequence(
      /\nsemblance: onnx\/text_model.onnx has the wrong checksum: /,
      /expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}\. .*\n$/
    )
  )
})
