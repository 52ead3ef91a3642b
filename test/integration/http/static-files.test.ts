import { readdir } from 'node:fs/promises'
import t from 'tap'
import { ownServer } from '../../fixtures/server.js'

t.test('the files of the gallery', async (t) => {
  const { url } = await ownServer(t, { MODELS_DIR: 'test/fixtures/towers', MODEL: 'clip' })
  const get = (path: string, encoding = 'br') =>
    fetch(url + path, { headers: { 'accept-encoding': encoding } })
  const script = (await readdir('dist/web/assets')).find((name) => /^index-.*\.js$/.test(name))!

  t.test('are compressed, and caches know that', async (t) => {
    for (const [path, cached] of [
      ['/', 'no-cache'],
      ['/docs', 'no-cache'],
      [`/assets/${script}`, 'public, max-age=31536000, immutable']
    ]) {
      for (const encoding of ['br', 'gzip', 'identity']) {
        const { status, headers } = await get(path, encoding)
        t.match(
          {
            status,
            encoding: headers.get('content-encoding') ?? 'identity',
            vary: headers.get('vary'),
            cached: headers.get('cache-control')
          },
          { status: 200, encoding, vary: 'accept-encoding', cached },
          `${path} ${encoding}`
        )
      }
    }
  })

  t.test('let nothing in from elsewhere, and nothing inline', async (t) => {
    for (const path of ['/', '/classify', '/map', '/collections', '/add', '/docs']) {
      const policy = (await get(path)).headers.get('content-security-policy')!
      t.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/, path)
      t.notMatch(policy, /unsafe|data:|\*/)
    }
  })

  t.test('no path leads out of their folder', async (t) => {
    for (const path of [
      '/assets/..%2findex.html',
      '/assets/..%2f..%2f..%2fpackage.json',
      '/assets/%2e%2e/licences.md',
      '/assets/..%5c',
      '/assets/%00',
      '/assets/',
      '/assets/.',
      '/assets/nothing.js',
      '/licences.md'
    ]) {
      const { status } = await get(path)
      t.equal(status, 404, path)
    }
  })
})
