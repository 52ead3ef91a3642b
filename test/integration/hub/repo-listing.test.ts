import { createHash } from 'node:crypto'
import t from 'tap'
import { openHub } from '../../../src/hub/hub.js'
import { listFiles, resolveCommit } from '../../../src/hub/repo-listing.js'
import { startHub } from '../../fixtures/hub.js'
import { clientOf } from '../../fixtures/pulling.js'
import { inSequence } from '../../fixtures/pattern.js'

const entry = (path: string) => ({ type: 'file', path, size: 1, oid: 'a'.repeat(40) })

t.test('all pages, files only, with the checksum that the hub has of each', async (t) => {
  const hub = await startHub(t)
  const files = await listFiles(clientOf(t, hub), hub.repo, hub.commit)
  t.same(
    files.map(({ path }) => path),
    Object.keys(hub.files)
  )
  const [lfs, plain] = ['onnx/vision_model.onnx', 'config.json'].map((path) =>
    files.find((file) => file.path === path)!
  )
  const { content } = hub.files['onnx/vision_model.onnx']
  t.same(lfs, {
    path: 'onnx/vision_model.onnx',
    size: content.length,
    checksum: { algorithm: 'sha256', hex: createHash('sha256').update(content).digest('hex') }
  })
  t.match(plain, { checksum: { algorithm: 'git-sha1', hex: /^[0-9a-f]{40}$/ } })
  t.equal(hub.requests.length, 4)
})

t.test('a mirror that passes on the next links of the hub is asked itself', async (t) => {
  const hub = await startHub(t)
  hub.linkBase = 'https://elsewhere.invalid'
  t.equal((await listFiles(clientOf(t, hub), hub.repo, hub.commit)).length, Object.keys(hub.files).length)
})

t.test('a listing that never ends is left', async (t) => {
  const hub = await startHub(t)
  hub.perPage = 0
  await t.rejects(listFiles(clientOf(t, hub), hub.repo, hub.commit), /too many files/)
})

t.test('a path that leaves its folder refuses the repository', async (t) => {
  for (const path of ['../../evil', '/etc/passwd', 'golden/../../evil', 'a\\b', 'a\u001b[2Jb']) {
    const hub = await startHub(t)
    hub.extraEntries.push(entry(path))
    await t.rejects(listFiles(clientOf(t, hub), hub.repo, hub.commit), {
      message:
        `The hub lists a file ${JSON.stringify(path)}, which is not a relative path inside the ` +
        'folder; nothing is pulled.'
    })
  }
})

t.test('a revision: a branch, a tag, one with a slash, a commit', async (t) => {
  const hub = await startHub(t)
  const client = clientOf(t, hub)
  for (const revision of ['main', 'v1', 'refs/pr/1', hub.commit])
    t.equal(await resolveCommit(client, { repo: hub.repo, revision }), hub.commit)
  await t.rejects(
    resolveCommit(client, { repo: hub.repo, revision: 'v2' }),
    /^acme\/clip has no revision 'v2' \(404\): use a branch, a tag or a commit\.$/
  )
  await t.rejects(
    resolveCommit(client, { repo: 'acme/other', revision: 'main' }),
    /has no repository acme\/other, or it has no revision 'main' \(404\)/
  )
})

t.test('what is not a hub is told apart', async (t) => {
  const hub = await startHub(t)
  hub.revisions.main = 'not a commit'
  await t.rejects(
    resolveCommit(clientOf(t, hub), { repo: hub.repo, revision: 'main' }),
    /does not answer as a hub does; check HF_ENDPOINT/
  )
  hub.extraEntries.push({ type: 'file', path: 'x', size: -1, oid: '' })
  await t.rejects(listFiles(clientOf(t, hub), hub.repo, hub.commit), /does not answer as a hub does/)
})

t.test('the API too is tried again, and waited for', async (t) => {
  const hub = await startHub(t)
  hub.faults.api = [
    { kind: 'status', status: 500 },
    { kind: 'drop', after: 0 },
    { kind: 'status', status: 429, headers: { 'retry-after': '0' } }
  ]
  t.equal(await resolveCommit(clientOf(t, hub), { repo: hub.repo, revision: 'main' }), hub.commit)
})

t.test('no one there: said at once, with the host and the ways out', async (t) => {
  const retries: string[] = []
  const client = clientOf(
    t,
    { endpoint: 'http://127.0.0.1:9' },
    { onRetry: (_, reason) => retries.push(reason) }
  )
  await t.rejects(
    resolveCommit(client, { repo: 'acme/clip', revision: 'main' }),
    inSequence(
      /^127\.0\.0\.1:9 can't be reached \(ECONNREFUSED\): /,
      /check the connection, or set HF_ENDPOINT to a mirror or HTTPS_PROXY to a proxy\.$/
    )
  )
  t.same(retries, [])
})

t.test(
  'an endpoint may lie under a path; one with a password, or that is no address, is rejected',
  async (t) => {
    const { signal } = new AbortController()
    t.equal(openHub({ endpoint: 'https://mirror.example/hf/', signal }).endpoint, 'https://mirror.example/hf')
    t.throws(
      () => openHub({ endpoint: 'https://user:secret@mirror.example', signal }),
      /must not contain a user name or password/
    )
    for (const endpoint of ['mirror.example', 'ftp://mirror.example', ''])
      t.throws(() => openHub({ endpoint, signal }), /must be an http or https URL/)
  }
)
