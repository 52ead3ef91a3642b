import { readFile } from 'node:fs/promises'
import t from 'tap'
import { shippedPackages } from '../../../scripts/notices.js'

const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')

t.test(
  'THIRD-PARTY-NOTICES names every package that is shipped: run `npm run notices` after a change',
  async (t) => {
    const lines = new Set((await read('THIRD-PARTY-NOTICES')).split('\n').map((line) => line.split(': ')[0]))
    const shipped = await shippedPackages()
    t.same(
      shipped.map(({ name, version }) => `${name} ${version}`).filter((line) => !lines.has(line)),
      []
    )
    const names = new Set(shipped.map(({ name }) => name))
    const kinds = [
      'sharp',
      '@img/sharp-libvips-linux-x64',
      'onnxruntime-node',
      'better-sqlite3',
      '@lobehub/fluent-emoji-3d',
      'preact',
      '@deck.gl/core'
    ]
    t.same(
      kinds.filter((name) => !names.has(name)),
      [],
      'production, optional, and what the gallery bundles'
    )
    t.notOk(names.has('typescript-eslint'))
  }
)

t.test('the notices say what is under the LGPL, and are shipped', async (t) => {
  const notices = await read('THIRD-PARTY-NOTICES')
  t.match(notices, /@img\/sharp-libvips-linux-x64 [\d.]+: LGPL-3\.0-or-later/)
  t.match(notices, /\nvips \d+\.\d+\.\d+\n/)
  t.match(notices, /may be\s+replaced by another build/)
  t.ok((JSON.parse(await read('package.json')) as { files: string[] }).files.includes('THIRD-PARTY-NOTICES'))
  for (const file of ['docker/Dockerfile', 'docker/Dockerfile.cuda'])
    t.match(await read(file), /^COPY .*THIRD-PARTY-NOTICES/m, file)
})
