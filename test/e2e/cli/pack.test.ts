import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { solid } from '../../fixtures/images.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The paths of the packages that an installation without devDependencies has, by the lock file. */
async function dependencyPaths(): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>
  }
  const paths = Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => path)
  // Nested ones come with those that hold them.
  return paths.filter((path) => path.lastIndexOf('node_modules/') === 0)
}

t.test('the package as it is published, in an empty folder, with its dependencies alone', async (t) => {
  // Outside of the repository, whose node_modules would be found from below it.
  const folder = await mkdtemp(join(tmpdir(), 'semblance-pack-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'pictures'))
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    DATA_DIR: join(folder, 'data'),
    ENCODER_WORKERS: '1',
    EXPRESS_WORKER: 'false',
    IMAGE_BATCH_SIZE: '4',
    TEXT_BATCH_SIZE: '32'
  }
  const { stdout: packed } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
    { cwd: root }
  )
  const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf('['))) as {
    filename: string
    files: { path: string }[]
  }[]
  const paths = files.map(({ path }) => path)
  const needed = [
    'dist/cli/semblance.js',
    'dist/cli/own-service-child.js',
    'dist/client/client.js',
    'dist/client/client.d.ts',
    'dist/web/index.html',
    'dist/web/docs.html',
    'models/mini/config.json',
    'openapi.yaml',
    'README.md',
    'LICENSE'
  ]
  t.same(
    needed.filter((path) => !paths.includes(path)),
    []
  )
  t.notOk(
    paths.some((path) => path.endsWith('.map')),
    'no map to sources that are not there'
  )
  t.notOk(
    paths.some((path) => /^(src|test|web|bench|data|node_modules)\//.test(path) || path.startsWith('.'))
  )

  // What `npm install` of the tarball makes, with the dependencies linked that are installed already: two of
  // them would be compiled.
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, 'semblance'), { recursive: true })
  await run('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', join(modules, 'semblance')])
  const present = new Set(await readdir(join(root, 'node_modules')))
  for (const path of await dependencyPaths()) {
    const [, name] = /^node_modules\/(.+)$/.exec(path)!
    if (!present.has(name.split('/')[0])) continue
    await mkdir(join(modules, name, '..'), { recursive: true })
    await symlink(join(root, path), join(modules, name)).catch(() => undefined)
  }
  await mkdir(join(modules, '.bin'))
  const { bin } = JSON.parse(await readFile(join(modules, 'semblance/package.json'), 'utf8')) as {
    bin: Record<string, string>
  }
  await symlink(join('..', 'semblance', bin.semblance), join(modules, '.bin/semblance'))
  await run('chmod', ['+x', join(modules, 'semblance', bin.semblance)])

  await writeFile(join(folder, 'pictures/red.png'), await solid('red'))
  await cp(join(root, 'models/mini/golden'), join(folder, 'pictures/golden'), {
    recursive: true,
    filter: (path) => !path.endsWith('.json')
  })
  const semblance = (...args: string[]) => run(join(modules, '.bin/semblance'), args, { cwd: folder, env })
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const npx = await run('npx', ['--no-install', 'semblance', '--version'], { cwd: folder, env })
  t.equal(npx.stdout, `${version}\n`)
  t.match(
    (await semblance('index', 'pictures', '-q', '--json')).stdout,
    /"created":\d+,"updated":0,"unchanged":0,"failed":0/
  )
  t.match((await semblance('search', '--image', 'pictures/red.png', '-n', '1')).stdout, /red\.png/)
  await writeFile(
    join(folder, 'own.mjs'),
    "import { createClient } from 'semblance/client'\nconsole.log(typeof createClient({ url: " +
      "'http://localhost' }).get)\n"
  )
  t.equal((await run(process.execPath, ['own.mjs'], { cwd: folder })).stdout, 'function\n')
})
