// The longest piece of work on the HTTP thread by route, in milliseconds of its processor time, for hostile
// bodies and large answers:
// node bench/event-loop.js [--dist DIR] [--records 1000] [--many 100000] [--only REGEXP] --dist runs another
//   build (its models and package.json beside it), for a comparison. Exits with 1 where a piece is over 100
//   ms.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { largeCases, routeCases } from './event-loop/cases.js'
import { fill } from './event-loop/fill.js'
import { newFolder } from './service.js'

const { values } = parseArgs({
  options: {
    dist: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    records: { type: 'string', default: '1000' },
    many: { type: 'string', default: '100000' },
    only: { type: 'string', default: '' }
  }
})
const MOST_MS = 100
/** What the service looks for by itself once an answer is there. */
const SETTLE_MS = 30

const folder = await newFolder()
const env = {
  ...process.env,
  PORT: '0',
  DATA_DIR: folder,
  DEMO: 'false',
  LOG_LEVEL: 'info',
  EXPRESS_WORKER: 'false'
}
const measure = pathToFileURL(fileURLToPath(new URL('event-loop/measure.js', import.meta.url))).href
const child = fork(resolve(values.dist, 'cli/serve.js'), {
  env,
  execArgv: ['--import', measure],
  silent: true
})
const url = await new Promise((tell, fail) => {
  child.stdout.on('data', (chunk) => {
    const found = /listening at (http:\/\/[^"\s]+)/.exec(chunk)
    if (found) tell(found[1])
  })
  child.stderr.pipe(process.stderr)
  child.once('exit', (code) => fail(new Error(`The service ended with ${code}.`)))
})
while ((await fetch(`${url}/health/ready`)).status !== 200) await new Promise((go) => setTimeout(go, 50))

async function longest() {
  child.send('longest')
  const [{ longest }] = await once(child, 'message')
  return longest
}

async function call({ method, path, body, type }) {
  try {
    const response = await fetch(url + path, {
      method,
      body,
      ...(type && { headers: { 'content-type': type } })
    })
    let bytes = 0
    for await (const chunk of response.body ?? []) bytes += chunk.length
    return { status: response.status, bytes }
  } catch (error) {
    return { status: error.cause?.code ?? error.message, bytes: 0 }
  }
}

/** Waits until no job works: a request's work may continue after its answer. */
async function jobsEnd() {
  const works = ({ status }) => status === 'queued' || status === 'running'
  while ((await (await fetch(`${url}/v1/jobs`)).json()).jobs.some(works))
    await new Promise((go) => setTimeout(go, 50))
}

const description = parse(await readFile(new URL('../openapi.yaml', import.meta.url), 'utf8'))
await fill(url, { records: Number(values.records), many: Number(values.many) })
const { models } = await (await fetch(`${url}/v1/models`)).json()
const cases = [...routeCases(description, { id: 'r1' }), ...largeCases({ dimension: models[0].dimension })]
const worst = new Map()
for (const each of cases.filter(({ route }) => new RegExp(values.only).test(route))) {
  // The first call compiles what the others run.
  await longest()
  const { status, bytes } = await call(each)
  await jobsEnd()
  await new Promise((go) => setTimeout(go, SETTLE_MS))
  const ms = await longest()
  if (ms > (worst.get(each.route)?.ms ?? -1)) worst.set(each.route, { ms, name: each.name, status, bytes })
}
child.kill('SIGTERM')
await once(child, 'exit')
await rm(folder, { recursive: true })

const rows = [...worst].sort(([, a], [, b]) => b.ms - a.ms)
console.log('| route | longest piece, ms | by | answered | MiB |\n| --- | ---: | --- | --- | ---: |')
for (const [route, { ms, name, status, bytes }] of rows)
  console.log(`| ${route} | ${ms.toFixed(1)} | ${name} | ${status} | ${(bytes / 2 ** 20).toFixed(1)} |`)
console.log(
  `\nlongest of ${cases.length} calls on ${rows.length} routes: ${rows[0][1].ms.toFixed(1)} ms ` +
    `(${rows[0][0]}, ${rows[0][1].name})`
)
process.exitCode = rows[0][1].ms > MOST_MS ? 1 : 0
