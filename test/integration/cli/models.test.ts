import { mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { callCommand } from '../../fixtures/call-command.js'
import { startHub, type TestHub } from '../../fixtures/hub.js'
import { clientOf, FP32, pullFrom, SETTINGS } from '../../fixtures/pulling.js'
import { inSequence } from '../../fixtures/pattern.js'

/** A folder with a package that was pulled, one in Immich's layout and one of somebody's own. */
async function models(
  t: Test
): Promise<{ modelsDir: string; hub: TestHub; run: (...args: string[]) => ReturnType<typeof callCommand> }> {
  const modelsDir = t.testdir({
    mine: {
      'config.json': '{}',
      onnx: { 'vision_model.onnx': 'x', 'text_model.onnx': 'x', 'text_model_q4.onnx': 'x' }
    },
    'immich-app': {
      vit: {
        'config.json': '{}',
        visual: { 'model.onnx': 'x' },
        textual: { 'model.onnx': 'x', fp16: { 'model.onnx': 'x' } }
      }
    },
    'open-clip': { 'open_clip_config.json': '{}' },
    notes: { deep: { deeper: { 'config.json': '{}' } } },
    'file.txt': ''
  })
  const hub = await startHub(t)
  await pullFrom(clientOf(t, hub), { modelsDir })
  await pullFrom(clientOf(t, hub), { modelsDir, variant: 'fp16' })
  return { modelsDir, hub, run: (...args) => callCommand(['models', ...args], { MODELS_DIR: modelsDir }) }
}

t.test('list: packages up to owner/name, the variants of each tower, size and source', async (t) => {
  const { modelsDir, hub, run } = await models(t)
  const { code, stdout } = await run('list', '--json')
  t.equal(code, 0)
  const pulled = [...SETTINGS, ...FP32, 'onnx/vision_model_fp16.onnx', 'onnx/text_model_fp16.onnx']
  const size = pulled.reduce((sum, path) => sum + hub.files[path].content.length, 0)
  t.same(JSON.parse(stdout), [
    {
      name: 'acme/clip',
      towers: { vision: ['fp32', 'fp16'], text: ['fp32', 'fp16'] },
      bytes: size,
      source: `acme/clip@${hub.commit}`
    },
    {
      name: 'immich-app/vit',
      towers: { vision: ['fp32'], text: ['fp32', 'fp16'] },
      bytes: 5,
      source: 'local'
    },
    { name: 'mine', towers: { vision: ['fp32'], text: ['fp32', 'q4'] }, bytes: 5, source: 'local' },
    { name: 'open-clip', towers: { vision: [], text: [] }, bytes: 2, source: 'local' }
  ])
  const table = (await run('list')).stdout.trim().split('\n')
  t.equal(table.length, 5)
  t.match(table[0], /^NAME +VISION +TEXT +SIZE +SOURCE$/)
  t.match(
    table[1],
    new RegExp(
      `^acme/clip +fp32,fp16 +fp32,fp16 +${(size / 1000).toFixed(1).replace('.', '\\.')} kB ` +
        `+acme/clip@${hub.commit}$`
    )
  )
  t.match(table[4], /^open-clip +- +- +2 B +local$/)
  await writeFile(join(modelsDir, 'acme/clip/semblance.lock.json'), '{')
  t.match(JSON.parse((await run('list', '--json')).stdout)[0], {
    name: 'acme/clip',
    source: 'damaged lock file'
  })
  t.same(await callCommand(['models', 'list', '--models-dir', join(modelsDir, 'nowhere')]), {
    code: 0,
    stdout: `There are no packages under ${modelsDir}/nowhere.\n`,
    stderr: ''
  })
})

t.test('verify: whole packages, and those without a lock file', async (t) => {
  const { run } = await models(t)
  t.same(await run('verify', 'acme/clip'), { code: 0, stdout: 'acme/clip: whole\n', stderr: '' })
  const all = await run('verify', '--json')
  t.equal(all.code, 0)
  t.same(
    JSON.parse(all.stdout).map(({ name, status }: { name: string; status: string }) => [name, status]),
    [
      ['acme/clip', 'whole'],
      ['immich-app/vit', 'unverifiable'],
      ['mine', 'unverifiable'],
      ['open-clip', 'unverifiable']
    ]
  )
  t.match(await run('verify', 'acme/other'), {
    code: 1,
    stdout: '',
    stderr: /^semblance: There is no package 'acme\/other' under .*: see 'semblance models list'\.\n$/
  })
})

t.test('verify: what is missing, changed or extra, and exit code 1', async (t) => {
  const { modelsDir, run } = await models(t)
  const folder = join(modelsDir, 'acme/clip')
  await rm(join(folder, FP32[0]))
  await writeFile(join(folder, 'config.json'), '{"model_type":"clap"}')
  await writeFile(join(folder, 'onnx/vision_model_q4.onnx'), 'x')
  await writeFile(join(folder, 'onnx/vision_model_q4.onnx_data'), 'x')
  await writeFile(join(folder, 'notes.txt'), 'mine')
  const { code, stdout, stderr } = await run('verify')
  t.equal(code, 1)
  t.equal(
    stderr,
    "semblance: acme/clip differs from what was pulled: run 'semblance models pull' to repair.\n"
  )
  t.match(
    stdout,
    inSequence(
      /^acme\/clip: different\n {2}missing {2}onnx\/text_model\.onnx\n {2}changed {2}config\.json\n/,
      / {2}extra {4}onnx\/vision_model_q4\.onnx\n {2}extra {4}onnx\/vision_model_q4\.onnx_data\n/,
      /immich-app/
    )
  )
  const json = await run('verify', 'acme/clip', '--json')
  t.equal(json.code, 1)
  t.same(JSON.parse(json.stdout), [
    {
      name: 'acme/clip',
      status: 'different',
      missing: [FP32[0]],
      changed: ['config.json'],
      extra: ['onnx/vision_model_q4.onnx', 'onnx/vision_model_q4.onnx_data']
    }
  ])
})

t.test(
  'rm: a pulled package goes, with its owner when that was the last; another needs --force',
  async (t) => {
    const { modelsDir, run } = await models(t)
    t.same(await run('rm', 'acme/clip'), { code: 0, stdout: 'Removed acme/clip.\n', stderr: '' })
    t.equal(await stat(join(modelsDir, 'acme')).catch(() => 'gone'), 'gone')
    t.same(await readdir(join(modelsDir, '.pulling/acme--clip')), ['lock', 'lock.holder'])
    t.match(await run('rm', 'mine'), {
      code: 1,
      stdout: '',
      stderr: "semblance: mine was not pulled, so it can't be pulled again; remove it with --force.\n"
    })
    t.ok(await stat(join(modelsDir, 'mine/config.json')))
    t.match(await run('rm', '--force', 'mine'), { code: 0 })
    t.same((await readdir(modelsDir)).filter((name) => !name.startsWith('.')).sort(), [
      'file.txt',
      'immich-app',
      'notes',
      'open-clip'
    ])
  }
)

t.test('rm: what is no package, or not inside, is rejected', async (t) => {
  const { modelsDir, run } = await models(t)
  await mkdir(join(modelsDir, 'inner'))
  const outside = join(modelsDir, 'notes/deep')
  await symlink(outside, join(modelsDir, 'inner/out'))
  await symlink(outside, join(modelsDir, 'linked'))
  const inner = callCommand(['models', 'rm', '--force', 'out/deeper'], {
    MODELS_DIR: join(modelsDir, 'inner')
  })
  t.match(await inner, { code: 1, stderr: /out\/deeper is outside .* and is not removed/ })
  const wrong = []
  for (const name of [
    '..',
    '../inner',
    '.',
    '',
    '/',
    join(modelsDir, 'mine'),
    'acme',
    'acme/clip/onnx',
    'notes',
    'acme/../mine',
    '.pulling',
    'acme/other'
  ]) {
    const { code, stdout, stderr } = await run('rm', '--force', name)
    if (code !== 1 || stdout !== '' || !/^semblance: There is no package '.*' under/.test(stderr))
      wrong.push({ name, code, stdout, stderr })
  }
  t.same(wrong, [])
  t.ok(await stat(join(outside, 'deeper/config.json')))
  t.ok(await stat(join(modelsDir, 'acme/clip/onnx')))
})

t.test('rm: what an unfinished pull left goes too', async (t) => {
  const hub = await startHub(t)
  const modelsDir = t.testdir()
  hub.faults[FP32[0]] = [{ kind: 'drop', after: 1000 }]
  await t.rejects(pullFrom(clientOf(t, hub, { retry: { tries: 1, baseMs: 1 } }), { modelsDir }))
  const run = () => callCommand(['models', 'rm', 'acme/clip'], { MODELS_DIR: modelsDir })
  t.match(await run(), { code: 0, stdout: 'Removed the files of an unfinished pull of acme/clip.\n' })
  t.same(await readdir(join(modelsDir, '.pulling/acme--clip')), ['lock', 'lock.holder'])
  t.match(await run(), { code: 1, stderr: /There is no package 'acme\/clip'/ })
})
