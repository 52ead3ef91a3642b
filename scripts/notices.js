// Writes THIRD-PARTY-NOTICES: the licences of all that is shipped. Run it after a change of dependencies: npm
// run notices
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = new URL('..', import.meta.url).pathname

const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')).packages

/**
 * The packages that are shipped, by their place in the lock file: production ones, and what the gallery's
 * build bundles.
 */
export async function shippedPackages() {
  const places = new Set(
    Object.keys(lock).filter((place) => place.includes('node_modules/') && !lock[place].dev)
  )
  for (const name of await bundledByWeb()) addWithDependencies(`node_modules/${name}`, places)
  return [...places].map((place) => ({ place, name: nameOf(place), ...lock[place] })).sort(byName)
}

/** Packages that web/src imports. */
async function bundledByWeb() {
  const files = await readdir(join(ROOT, 'web/src'), { recursive: true })
  const sources = files
    .filter((file) => /\.(tsx?|css)$/.test(file))
    .map((file) => readFile(join(ROOT, 'web/src', file), 'utf8'))
  const imported = (await Promise.all(sources)).flatMap((text) => [
    ...text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"./][^'"]*)['"]/g)
  ])
  const names = imported.map(([, path]) =>
    path
      .split('/')
      .slice(0, path.startsWith('@') ? 2 : 1)
      .join('/')
  )
  return [...new Set(names)].filter((name) => `node_modules/${name}` in lock)
}

function addWithDependencies(place, places, seen = new Set()) {
  if (seen.has(place)) return
  seen.add(place)
  places.add(place)
  for (const name of Object.keys(lock[place].dependencies ?? {})) {
    const found = resolve(place, name)
    if (found) addWithDependencies(found, places, seen)
  }
}

/** Node's resolution: the nearest node_modules that has the package. */
function resolve(place, name) {
  for (let folder = place; ; folder = folder.slice(0, folder.lastIndexOf('/node_modules/'))) {
    const candidate = `${folder}/node_modules/${name}`
    if (candidate in lock) return candidate
    if (!folder.includes('/node_modules/'))
      return `node_modules/${name}` in lock ? `node_modules/${name}` : undefined
  }
}

const nameOf = (place) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.place < b.place ? -1 : 1)

/** The licence files that come with a package; none where it is not installed, as of other platforms. */
async function licenceTexts(place) {
  const files = await readdir(join(ROOT, place)).catch(() => [])
  const wanted = files
    .filter((file) => /^(licen[cs]e|copying|notice|third.?party)/i.test(file) && !file.endsWith('.js'))
    .sort()
  return Promise.all(
    wanted.map(async (file) => (await readFile(join(ROOT, place, file), 'utf8')).replaceAll('\r', '').trim())
  )
}

/** What is inside of packages that ship compiled libraries, or comes without a package. */
const PARTS = `\
- SQLite, in better-sqlite3: public domain. https://sqlite.org/copyright.html
- hnswlib, in hnswlib-node: Apache-2.0. https://github.com/nmslib/hnswlib
- ONNX Runtime, in onnxruntime-node: MIT. Its own parts:
  https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt
- libvips and the libraries that it is linked with, in @img/sharp-libvips-*: LGPL-3.0-or-later as a whole;
  each library and its licence are listed below. It is a shared library, loaded at run time, and may be
  replaced by another build. Source: https://github.com/lovell/sharp-libvips,
  https://github.com/libvips/libvips
- The pictures of the demo collection, in @lobehub/fluent-emoji-3d: Microsoft's Fluent Emoji, MIT.
  https://github.com/microsoft/fluentui-emoji
- The default model in models/mini: made for this project, under its licence. The sources of its training
  data are in models/mini/README.md.`

async function notices() {
  const texts = new Map()
  const rows = []
  for (const { place, name, version, license } of await shippedPackages()) {
    rows.push(`${name} ${version}: ${license ?? 'see below'}`)
    for (const text of await licenceTexts(place))
      texts.set(text, [...(texts.get(text) ?? []), `${name} ${version}`])
  }
  const libvips = Object.keys(lock).filter((place) => /sharp-libvips-/.test(place))
  const readmes = await Promise.all(
    libvips.map((place) => readFile(join(ROOT, place, 'README.md'), 'utf8').catch(() => ''))
  )
  const readme = readmes.find((text) => text !== '')
  const versions = await Promise.all(
    libvips.map((place) => readFile(join(ROOT, place, 'versions.json'), 'utf8').catch(() => ''))
  )
  const table = Object.entries(JSON.parse(versions.find((text) => text !== ''))).map(
    ([library, version]) => `${library} ${version}`
  )
  const rule = '\n\n' + '-'.repeat(80) + '\n\n'
  return (
    [
      'THIRD-PARTY NOTICES\n\nSemblance is licensed under Apache-2.0 (LICENSE). It is shipped with the ' +
        'software below, each under its own licence.\nThis file is written by scripts/notices.js.',
      `PARTS\n\n${PARTS}`,
      `PACKAGES\n\n${[...new Set(rows)].join('\n')}`,
      `LIBRARIES IN @img/sharp-libvips-*\n\n${table.join('\n')}\n\n${readme.replaceAll('\r', '').trim()}`,
      ...[...texts].map(([text, names]) => `${[...new Set(names)].join(', ')}\n\n${text}`)
    ].join(rule) + '\n'
  )
}

if (process.argv[1] === new URL(import.meta.url).pathname)
  await writeFile(join(ROOT, 'THIRD-PARTY-NOTICES'), await notices())
