import { execFile } from 'node:child_process'
import { access, cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { validate } from 'dockerfile-utils'
import t from 'tap'
import { parse } from 'yaml'
import { environmentSchema } from '../../../src/config.js'
import { testServer } from '../../fixtures/server.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))
const file = (name: string) => readFile(new URL(`../../../docker/${name}`, import.meta.url), 'utf8')

t.test('the Dockerfiles are without fault, not run as root, and set what the service reads', async (t) => {
  for (const name of ['Dockerfile', 'Dockerfile.cuda']) {
    const text = await file(name)
    t.same(
      validate(text).map(({ message }) => message),
      [],
      name
    )
    t.match(text, /^USER node$/m)
    t.match(text, /^HEALTHCHECK /m)
    const own = new Set(['NODE_ENV', 'LD_PRELOAD', ...Object.keys(environmentSchema.properties)])
    const env = /^ENV ((?:.*\\\n)*.*)$/m.exec(text)![1].match(/[A-Z_]+(?==)/g)!
    t.same(
      env.filter((variable) => !own.has(variable)),
      [],
      `${name} sets only what is read`
    )
  }
})

/** The paths that a part of a Dockerfile copies from the repository. */
function copiedBy(text: string): string[] {
  return [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) => paths.split(' '))
}

t.test('what the Dockerfiles copy is there, and is enough for the build', async (t) => {
  const ignored = (await readFile(join(root, '.dockerignore'), 'utf8')).trim().split('\n')
  const [plain, cuda] = await Promise.all([file('Dockerfile'), file('Dockerfile.cuda')])
  for (const path of new Set([...copiedBy(plain), ...copiedBy(cuda)])) {
    await t.resolves(access(join(root, path)), `${path} is there`)
    t.notOk(ignored.includes(path), `${path} is in the context`)
  }
  const [copied, copiedForCuda] = [plain, cuda].map((text) => copiedBy(text.split('RUN npm run build')[0]))
  t.same(copiedForCuda, copied)

  const { stdout } = await run('npx', ['tsc', '-p', 'tsconfig.build.json', '--listFilesOnly'], { cwd: root })
  const compiled = stdout
    .trim()
    .split('\n')
    .map((path) => relative(root, path))
    .filter((path) => !path.startsWith('node_modules/'))
  t.ok(compiled.includes('src/server.ts'))
  t.same(
    compiled.filter((path) => !copied.some((from) => path.startsWith(`${from}/`))),
    [],
    'of the service'
  )
  const folder = await mkdtemp(join(tmpdir(), 'semblance-image-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  for (const path of copied) await cp(join(root, path), join(folder, path), { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await run('npx', ['vite', 'build', 'web', '--logLevel', 'error'], { cwd: folder })
  for (const page of ['index.html', 'docs.html'])
    await t.resolves(access(join(folder, 'dist/web', page)), `${page} of the gallery`)
})

t.test('compose: a read-only root, no capabilities, ports on loopback only', async (t) => {
  const { services } = parse(await file('compose.yaml'))
  t.match(services.semblance, { read_only: true, cap_drop: ['ALL'], volumes: ['data:/data'] })
  for (const service of Object.values(services) as { ports?: string[] }[])
    for (const port of service.ports ?? []) t.match(port, /^127\.0\.0\.1:/)
  const own = Object.keys(environmentSchema.properties)
  t.same(
    Object.keys(services.semblance.environment).filter((name) => !own.includes(name)),
    []
  )
})

t.test('the dashboard and the alerts ask for metrics that there are', async (t) => {
  const { api } = await testServer(t)
  await api('PUT', '/v1/collections/things')
  const { body } = await api('GET', '/metrics')
  const known = new Set((body as string).match(/^[a-z_0-9]+(?=[{ ])/gm))
  const { panels } = JSON.parse(await file('grafana/dashboards/semblance.json'))
  const { groups } = parse(await file('prometheus/alerts.yml'))
  const expressions: string[] = [
    ...panels.flatMap(({ targets }: { targets: { expr: string }[] }) => targets.map(({ expr }) => expr)),
    ...groups.flatMap(({ rules }: { rules: { expr: string }[] }) => rules.map(({ expr }) => expr))
  ]
  t.ok(expressions.length >= 15)
  // A histogram without observations has its sum and count, and no buckets of some label yet.
  const base = (name: string) => name.replace(/_bucket$/, '_count')
  const helped = new Set([...(body as string).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  for (const expression of expressions) {
    for (const name of expression.match(/\b(semblance|process|nodejs)_[a-z_0-9]+/g) ?? [])
      t.ok(
        known.has(name) || known.has(base(name)) || helped.has(name.replace(/_(bucket|count|sum)$/, '')),
        name
      )
  }
})
