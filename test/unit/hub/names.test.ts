import t from 'tap'
import { isRepoName, parseRepo } from '../../../src/hub/repo-name.js'
import { isSafePath } from '../../../src/hub/safe-path.js'

t.test('a repository with and without a revision', async (t) => {
  t.same(parseRepo('Xenova/clip-vit-base-patch32'), {
    repo: 'Xenova/clip-vit-base-patch32',
    revision: 'main'
  })
  t.same(parseRepo('gpt2'), { repo: 'gpt2', revision: 'main' })
  t.same(parseRepo('acme/clip@refs/pr/1'), { repo: 'acme/clip', revision: 'refs/pr/1' })
  t.same(parseRepo('immich-app/ViT-B-32__openai@v1.0'), {
    repo: 'immich-app/ViT-B-32__openai',
    revision: 'v1.0'
  })
})

t.test('what is no repository or no revision is rejected by name', async (t) => {
  for (const name of [
    '',
    'a/b/c',
    '../b',
    'a/..',
    '/a',
    'a/',
    'a b',
    '.hidden',
    'a/.b',
    'a--b',
    'a..b',
    'a\\b',
    'a\nb',
    `a/${'b'.repeat(97)}`
  ]) {
    t.notOk(isRepoName(name), JSON.stringify(name))
    t.throws(() => parseRepo(name), /is not a repository name/)
  }
  for (const revision of ['', '..', 'a/../b', 'a b', 'a?b', 'a#b', 'a@b'])
    t.throws(() => parseRepo(`acme/clip@${revision}`), /is not a revision/, revision)
})

t.test('paths that leave their folder, or a line of the terminal', async (t) => {
  for (const path of ['config.json', 'onnx/vision_model.onnx', 'a/b/c d.txt', '..a/b..', 'ä/日本.json'])
    t.ok(isSafePath(path), path)
  for (const path of [
    '',
    '..',
    'a/../../b',
    '../x',
    './x',
    '/etc/passwd',
    'a//b',
    'a/',
    'a\\b',
    '..\\x',
    'C:/x',
    'c:x',
    'a\nb',
    'a\u001b[2J',
    'a\u0000b',
    'a\u009bb'
  ])
    t.notOk(isSafePath(path), JSON.stringify(path))
})
