import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readLock, writeLock } from '../../../src/hub/lock-file.js'
import { verifyPackage } from '../../../src/hub/verify.js'
import { huggingFaceFiles, newCommit, startHub } from '../../fixtures/hub.js'
import { onnxFile } from '../../fixtures/onnx.js'
import { clientOf, contents, FP16, FP32, pullFrom, SETTINGS, tree } from '../../fixtures/pulling.js'

const LOCK = 'semblance.lock.json'

/** The package without its lock file. */
async function installed(modelsDir: string): Promise<Record<string, Buffer>> {
  const files = await tree(join(modelsDir, 'acme/clip'))
  return Object.fromEntries(Object.entries(files).filter(([path]) => path !== LOCK))
}

const downloads = (paths: { path: string }[]) => paths.map(({ path }) => path).sort()

t.test('a package: the files of the variant, byte for byte, and where they came from', async (t) => {
  const hub = await startHub(t)
  const modelsDir = join(t.testdir(), 'not/there/yet')
  const pulled = await pullFrom(clientOf(t, hub), { modelsDir, revision: 'v1' })
  t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP32]))
  t.match(pulled, {
    commit: hub.commit,
    variants: ['fp32'],
    changed: true,
    folder: join(modelsDir, 'acme/clip')
  })
  const text = await readFile(join(modelsDir, 'acme/clip', LOCK), 'utf8')
  const lock = JSON.parse(text)
  t.match(lock, {
    repo: 'acme/clip',
    endpoint: hub.endpoint,
    revision: 'v1',
    commit: hub.commit,
    variants: ['fp32'],
    pulled_at: /^\d{4}-.*Z$/
  })
  t.same(Object.keys(lock), Object.keys(lock).toSorted())
  t.same(Object.keys(lock.files), [...SETTINGS, ...FP32].sort())
  t.match(lock.files['config.json'], {
    size: hub.files['config.json'].content.length,
    sha256: /^[0-9a-f]{64}$/
  })
  t.same(
    await readdir(join(modelsDir, '.pulling/acme--clip')),
    ['lock', 'lock.holder'],
    'nothing is left behind'
  )
})

t.test('again: nothing to do; damaged or missing files are fixed, and only they are fetched', async (t) => {
  const hub = await startHub(t)
  const modelsDir = t.testdir()
  const client = clientOf(t, hub)
  await pullFrom(client, { modelsDir })
  const before = await stat(join(modelsDir, 'acme/clip'))
  t.match(await pullFrom(client, { modelsDir }), { changed: false, downloaded: [] })
  t.equal((await stat(join(modelsDir, 'acme/clip'))).ino, before.ino, 'the folder is the same')
  await writeFile(join(modelsDir, 'acme/clip/config.json'), '{}')
  await rm(join(modelsDir, 'acme/clip', FP32[0]))
  const mended = await pullFrom(client, { modelsDir })
  t.same(downloads(mended.downloaded), ['config.json', FP32[0]])
  t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP32]))
})

t.test('another variant of the same commit comes beside; of another commit it takes the place', async (t) => {
  const hub = await startHub(t)
  const modelsDir = t.testdir()
  const client = clientOf(t, hub)
  await pullFrom(client, { modelsDir })
  const inode = (await stat(join(modelsDir, 'acme/clip', FP32[1]))).ino
  const second = await pullFrom(client, { modelsDir, variant: 'fp16' })
  t.same(downloads(second.downloaded), FP16)
  t.same((await readLock(join(modelsDir, 'acme/clip')))!.variants, ['fp16', 'fp32'])
  t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP32, ...FP16]))
  t.equal((await stat(join(modelsDir, 'acme/clip', FP32[1]))).ino, inode, 'linked, not copied')

  hub.commit = hub.revisions.main = newCommit()
  hub.files['onnx/text_model_fp16.onnx'] = huggingFaceFiles(2000)['onnx/text_model_fp16.onnx']
  const third = await pullFrom(client, { modelsDir, variant: 'fp16' })
  t.same(downloads(third.downloaded), ['onnx/text_model_fp16.onnx'], 'what is the same is taken over')
  t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP16]))
  t.match(await readLock(join(modelsDir, 'acme/clip')), { commit: hub.commit, variants: ['fp16'] })
})

t.test('files that no pull brought stay', async (t) => {
  const hub = await startHub(t)
  const modelsDir = t.testdir()
  const client = clientOf(t, hub)
  await pullFrom(client, { modelsDir })
  const folder = join(modelsDir, 'acme/clip')
  await writeFile(join(folder, 'semblance.json'), '{"logit_scale": 1}')
  await mkdir(join(folder, 'notes'))
  await writeFile(join(folder, 'notes/mine.txt'), 'mine')
  await symlink('/nowhere', join(folder, 'dangling'))
  await pullFrom(client, { modelsDir, variant: 'fp16' })
  hub.commit = hub.revisions.main = newCommit()
  await pullFrom(client, { modelsDir, variant: 'fp16' })
  t.same(await installed(modelsDir), {
    ...contents(hub, [...SETTINGS, ...FP16]),
    'notes/mine.txt': Buffer.from('mine'),
    'semblance.json': Buffer.from('{"logit_scale": 1}')
  })
})

t.test(
  'a folder without a lock file is taken over when it is the same, and left alone when it is not',
  async (t) => {
    const hub = await startHub(t)
    const modelsDir = t.testdir()
    const client = clientOf(t, hub)
    await pullFrom(client, { modelsDir })
    await rm(join(modelsDir, 'acme/clip', LOCK))
    const adopted = await pullFrom(client, { modelsDir })
    t.match(adopted, { changed: true, downloaded: [] })
    t.ok(await readLock(join(modelsDir, 'acme/clip')))
    await rm(join(modelsDir, 'acme/clip', LOCK))
    await writeFile(join(modelsDir, 'acme/clip/config.json'), '{"mine": true}')
    const before = await installed(modelsDir)
    await t.rejects(
      pullFrom(client, { modelsDir }),
      /was not pulled, and its config.json differs from the hub's file: move the folder away/
    )
    t.same(await installed(modelsDir), before)
  }
)

t.test(
  'a crash between the renames: the next pull puts the old package back, or clears it away',
  async (t) => {
    const hub = await startHub(t)
    const modelsDir = t.testdir()
    const client = clientOf(t, hub)
    await pullFrom(client, { modelsDir })
    const [target, aside, assembled] = [
      'acme/clip',
      '.pulling/acme--clip/aside',
      '.pulling/acme--clip/assembled'
    ].map((path) => join(modelsDir, path))
    await rename(target, aside)
    await mkdir(join(assembled, 'onnx'), { recursive: true })
    t.match(await pullFrom(client, { modelsDir }), { changed: false, downloaded: [] })
    t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP32]))
    await mkdir(aside)
    await writeFile(join(aside, 'config.json'), 'old')
    await mkdir(assembled)
    await writeFile(join(assembled, 'half'), 'half')
    t.match(await pullFrom(client, { modelsDir, variant: 'fp16' }), { changed: true })
    t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP32, ...FP16]))
    t.same(await readdir(join(modelsDir, '.pulling/acme--clip')), ['lock', 'lock.holder'])
  }
)

t.test('two pulls at once: one waits for the other, each file is fetched once', async (t) => {
  const hub = await startHub(t)
  hub.speed = 1_000_000
  const modelsDir = t.testdir()
  const waited: string[] = []
  const pulls = await Promise.all(
    [1, 2, 3].map(() => pullFrom(clientOf(t, hub), { modelsDir, onWait: (holder) => waited.push(holder) }))
  )
  t.equal(waited.length, 2)
  t.same(pulls.map(({ changed }) => changed).sort(), [false, false, true])
  t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP32]))
  t.equal(hub.requests.filter(({ server }) => server === 'cdn').length, FP32.length + 1)
})

t.test('a failed file stops the others, and the package that was there stays', async (t) => {
  const hub = await startHub(t)
  const modelsDir = t.testdir()
  await pullFrom(clientOf(t, hub), { modelsDir })
  const before = await installed(modelsDir)
  hub.commit = hub.revisions.main = newCommit()
  hub.files = huggingFaceFiles()
  hub.faults[FP32[1]] = [{ kind: 'status', status: 418 }]
  hub.speed = 200_000
  await t.rejects(pullFrom(clientOf(t, hub), { modelsDir }), /answered 418/)
  t.same(await installed(modelsDir), before)
  const left = Object.keys(await tree(join(modelsDir, '.pulling/acme--clip', hub.commit)))
  t.same(
    [FP32[0], FP32[2]].filter((path) => left.includes(path)),
    [],
    'what was under way is cut off'
  )
  hub.speed = Infinity
  const again = await pullFrom(clientOf(t, hub), { modelsDir })
  t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP32]))
  t.ok(
    again.downloaded.length < Object.keys(contents(hub, [...SETTINGS, ...FP32])).length,
    'what had come whole was kept'
  )
})

t.test('downloads that are abandoned for another commit or variant are cleared away', async (t) => {
  const hub = await startHub(t)
  const modelsDir = t.testdir()
  hub.faults[FP32[1]] = [{ kind: 'drop', after: 1000 }]
  await t.rejects(pullFrom(clientOf(t, hub, { retry: { tries: 1, baseMs: 1 } }), { modelsDir }), /broke/)
  t.ok((await readdir(join(modelsDir, '.pulling/acme--clip'))).includes(hub.commit))
  hub.commit = hub.revisions.main = newCommit()
  await pullFrom(clientOf(t, hub), { modelsDir, variant: 'fp16' })
  t.same(
    await installed(modelsDir),
    contents(hub, [...SETTINGS, ...FP16]),
    'and nothing of them gets into the package'
  )
  t.same(await readdir(join(modelsDir, '.pulling/acme--clip')), ['lock', 'lock.holder'])
})

t.test('too little room is said before anything is downloaded', async (t) => {
  const hub = await startHub(t)
  const size = 2 ** 52
  hub.files['onnx/text_model.onnx'].content = onnxFile(Buffer.alloc(100), ['text_model.onnx_data'])
  hub.extraEntries.push({
    type: 'file',
    path: 'onnx/text_model.onnx_data',
    size,
    oid: newCommit(),
    lfs: { oid: 'a'.repeat(64), size }
  })
  await t.rejects(
    pullFrom(clientOf(t, hub), { modelsDir: t.testdir() }),
    /has .* free, but 4503\.6 TB are needed: free space, or set MODELS_DIR/
  )
  t.same(
    hub.requests.filter(({ path }) => path.includes('/resolve/')),
    []
  )
})

t.test('weights in files of their own come with the graph that names them, and are checked', async (t) => {
  const hub = await startHub(t)
  const names = ['tower.layer.0.weight', 'tower.layer.0.bias', 'shared/embedding']
  hub.files['onnx/text_model.onnx'].content = onnxFile(Buffer.alloc(100), names)
  for (const name of names)
    hub.files[`onnx/${name}`] = { content: Buffer.from(`weights of ${name}`), lfs: true }
  const modelsDir = t.testdir()
  const client = clientOf(t, hub)
  const pulled = await pullFrom(client, { modelsDir })
  const weights = names.map((name) => `onnx/${name}`)
  t.same(await installed(modelsDir), contents(hub, [...SETTINGS, ...FP32, ...weights]))
  t.same(downloads(pulled.downloaded), [...SETTINGS, ...FP32, ...weights].sort())
  t.match(await pullFrom(client, { modelsDir }), { changed: false, downloaded: [] })
  t.match(await verifyPackage(modelsDir, 'acme/clip'), { status: 'whole' })

  await writeFile(join(modelsDir, 'acme/clip', weights[0]), 'other weights')
  await rm(join(modelsDir, 'acme/clip', weights[1]))
  t.match(await verifyPackage(modelsDir, 'acme/clip'), {
    status: 'different',
    missing: [weights[1]],
    changed: [weights[0]]
  })
  t.same(downloads((await pullFrom(client, { modelsDir })).downloaded), [weights[0], weights[1]].sort())
  t.match(await verifyPackage(modelsDir, 'acme/clip'), { status: 'whole' })
})

t.test(
  'weights that a graph names and no file holds are rejected by name, in the pull and in verify',
  async (t) => {
    const hub = await startHub(t)
    hub.files['onnx/text_model.onnx'].content = onnxFile(Buffer.alloc(100), ['tower.weight'])
    const modelsDir = t.testdir()
    await t.rejects(
      pullFrom(clientOf(t, hub), { modelsDir }),
      /lacks onnx\/tower.weight, which holds weights of onnx\/text_model.onnx/
    )
    t.same(await installed(modelsDir), {})
    hub.files['onnx/tower.weight'] = { content: Buffer.from('weights') }
    await pullFrom(clientOf(t, hub), { modelsDir })
    // As packages were pulled that lack them: neither the lock file nor the folder has any.
    const folder = join(modelsDir, 'acme/clip')
    const lock = (await readLock(folder))!
    delete lock.files['onnx/tower.weight']
    await writeLock(folder, lock)
    t.match(
      await verifyPackage(modelsDir, 'acme/clip'),
      { status: 'different', extra: ['onnx/tower.weight'] },
      'there, and not checked'
    )
    await rm(join(folder, 'onnx/tower.weight'))
    t.match(await verifyPackage(modelsDir, 'acme/clip'), {
      status: 'different',
      missing: ['onnx/tower.weight']
    })
    await pullFrom(clientOf(t, hub), { modelsDir })
    t.match(await verifyPackage(modelsDir, 'acme/clip'), { status: 'whole' }, 'a pull brings them')
  }
)

t.test('a graph that names a file outside of the package, or is none, is not pulled', async (t) => {
  const hub = await startHub(t)
  for (const [content, message] of [
    [onnxFile(Buffer.alloc(10), ['../../x']), /not a path inside the package/],
    [Buffer.from('<html>'), /not a complete ONNX file/]
  ] as const) {
    hub.files['onnx/text_model.onnx'].content = content
    const modelsDir = t.testdir()
    await t.rejects(pullFrom(clientOf(t, hub), { modelsDir }), message)
    t.same(await installed(modelsDir), {})
  }
})

t.test('gated: the listing may be read, the files not', async (t) => {
  const hub = await startHub(t)
  hub.gated = true
  await t.rejects(
    pullFrom(clientOf(t, hub), { modelsDir: t.testdir() }),
    /Access to acme\/clip is denied \(403\): accept its terms at http.*\/acme\/clip and set HF_TOKEN/
  )
})

t.test("a MODELS_DIR that can't be one", async (t) => {
  const hub = await startHub(t)
  const folder = t.testdir({ file: '' })
  await t.rejects(
    pullFrom(clientOf(t, hub), { modelsDir: join(folder, 'file') }),
    /MODELS_DIR .* can't be written to \(ENOTDIR\): set MODELS_DIR or --models-dir/
  )
})

t.test('a damaged lock file is said, and nothing done', async (t) => {
  const hub = await startHub(t)
  for (const damaged of [
    '{',
    '{}',
    '[]',
    JSON.stringify({
      repo: 'a',
      endpoint: 'b',
      revision: 'c',
      commit: 'd',
      variants: [],
      pulled_at: 'e',
      files: { '../../evil': { size: 1, sha256: 'f' } }
    })
  ]) {
    const modelsDir = t.testdir({ acme: { clip: { [LOCK]: damaged } } })
    await t.rejects(
      pullFrom(clientOf(t, hub), { modelsDir }),
      /semblance.lock.json is damaged; delete it and pull again/
    )
  }
})
