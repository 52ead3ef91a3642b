import { spawn } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { parse } from 'yaml'
import { LANGUAGES } from '../../../../src/http/docs/code-samples/code-samples.js'
import { DEFAULT_ORIGIN, exampleCalls } from '../../../../src/http/docs/code-samples/example-calls.js'
import type { SampleBody } from '../../../../src/http/docs/code-samples/sample-call.js'
import { typescriptSample } from '../../../../src/http/docs/code-samples/typescript.js'
import { openapiYaml } from '../../../../src/http/docs/openapi.js'
import { EXAMPLE_IMAGE } from '../../../../src/http/schemas.js'
import { EXAMPLE_JOB, examplesInOrder, STARTS_JOB } from '../../../fixtures/examples.js'
import { golden } from '../../../fixtures/images.js'
import { testServer, type Api } from '../../../fixtures/server.js'

interface Sample {
  /** The operation, and the kind of body where it takes several. */
  name: string
  source: string
}

interface Outcome {
  name: string
  status: number
  said: string
}

interface Runner {
  /** A folder with the files that samples read, and where they leave theirs. */
  folder: string
  url: string
  key?: string
}

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/samples/${name}`, import.meta.url))

/** Runs a program that reads samples as JSON; the outcomes that it prints. */
async function runAll(
  command: string[],
  samples: Sample[],
  { folder, url, key }: Runner
): Promise<Outcome[]> {
  const child = spawn(command[0], command.slice(1), {
    cwd: folder,
    env: { PATH: process.env.PATH, ...(key !== undefined && { SEMBLANCE_API_KEY: key }) },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  child.stdin.end(JSON.stringify({ url, exampleJob: EXAMPLE_JOB, startsJob: STARTS_JOB, samples }))
  const [output, problems] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (output === '') throw new Error(problems)
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome)
}

/**
 * Samples for a shell, one after the other in one. A status is not said: curl fails where it is none of 2xx.
 */
async function runCurl(samples: Sample[], { folder, url, key }: Runner): Promise<Outcome[]> {
  const steps = samples.map(({ name, source }, i) => {
    const command = source.replaceAll(EXAMPLE_JOB, '$JOB')
    const wait = STARTS_JOB.some((each) => name.startsWith(each))
      ? `JOB=$(sed -E 's/.*"id":"([^"]*)".*/\\1/' answer-${i}.out); command curl -sf ` +
        `${url}/v1/jobs/$JOB/events >events.out`
      : ''
    return `{ ${command}\n} >answer-${i}.out 2>answer-${i}.err; echo "$?"\n${wait}`
  })
  const script = ['curl() { command curl -sS --fail-with-body "$@"; }', ...steps].join('\n')
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...(key !== undefined && { SEMBLANCE_API_KEY: key }) },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const codes = (await text(child.stdout)).trim().split('\n')
  return Promise.all(
    samples.map(async ({ name }, i) => ({
      name,
      status: codes[i] === '0' ? 200 : 0,
      said:
        codes[i] === '0'
          ? ''
          : `${await readFile(`${folder}/answer-${i}.out`, 'utf8')} ` +
            `${await readFile(`${folder}/answer-${i}.err`, 'utf8')}`
    }))
  )
}

const RUN: Record<string, (samples: Sample[], runner: Runner) => Promise<Outcome[]>> = {
  curl: runCurl,
  TypeScript: (samples, runner) => {
    const plain = samples.map(({ name, source }) => ({
      name,
      source: ts.transpileModule(source, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
      }).outputText
    }))
    return runAll([process.execPath, fixture('run.mjs'), runner.folder], plain, runner)
  },
  Python: (samples, runner) => runAll(['python3', fixture('run.py')], samples, runner)
}

/** A stand-in for the demo collection. */
async function emojiCollection(api: Api, init?: RequestInit): Promise<void> {
  await api('PUT', '/v1/collections/emoji', {}, init)
  const { body } = await api(
    'POST',
    '/v1/collections/emoji/records',
    {
      records: [
        {
          id: '1f355',
          text: 'pizza',
          metadata: { group: 'food & drink' },
          image: { base64: (await golden('portrait.jpg')).toString('base64') }
        }
      ]
    },
    init
  )
  if (body.results[0].status !== 'created') throw new Error(JSON.stringify(body))
}

async function workplace(t: Test, name: string): Promise<string> {
  // Beside the data folder of the service, which is the test's own.
  const folder = `${t.testdirName}/samples-${name}`
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/apple.png`, Buffer.from(EXAMPLE_IMAGE.base64, 'base64'))
  return folder
}

t.test('every sample of openapi.yaml does as pasted what it says', async (t) => {
  const { url, api } = await testServer(t)
  await emojiCollection(api)
  const { body: document } = await api('GET', '/openapi.json')
  for (const { label } of LANGUAGES) {
    const samples = examplesInOrder(document).flatMap(({ operation }) =>
      operation['x-codeSamples']!.filter((sample) => sample.label.split(' ')[0] === label).map((sample) => ({
        name: `${operation.operationId}${sample.label.slice(label.length)}`,
        source: sample.source.replaceAll(DEFAULT_ORIGIN, url)
      }))
    )
    const folder = await workplace(t, label)
    const outcomes = await RUN[label](samples, { folder, url })
    t.same(
      outcomes.map(({ name }) => name),
      samples.map(({ name }) => name),
      `${label}: all ran`
    )
    for (const { name, status, said } of outcomes)
      t.ok(status >= 200 && status < 300, `${label}: ${name} ${status} ${status === 0 ? said : ''}`)
    const files = await readdir(folder)
    for (const file of ['1f355.webp', 'playground.sqlite', 'emoji.ndjson', 'emoji-image.npy'])
      t.ok(files.includes(file) && (await stat(`${folder}/${file}`)).size > 50, `${label}: ${file} was kept`)
    t.match(await api('GET', '/v1/collections/playground'), { status: 404 }, 'what they made they dropped')
  }
})

t.test('samples carry the key of the environment, where the page has one', async (t) => {
  const key = 'a-key-for-the-samples'
  const { url, api } = await testServer(t, {
    API_KEYS: `admin:${key}`,
    MODELS_DIR: 'test/fixtures/towers',
    MODELS: 'clip',
    RATE_LIMIT_PER_MINUTE: '0'
  })
  await emojiCollection(api, { headers: { authorization: `Bearer ${key}` } })
  const { body: document } = await api('GET', '/openapi.json')
  const wanted = [
    'createCollection',
    'upsertRecords',
    'bulkRecords',
    'searchTextToImage',
    'searchImageToText',
    'getRecordImage',
    'listRecords',
    'dropCollection'
  ]
  const calls = examplesInOrder(document)
    .filter(({ operation }) => wanted.includes(operation.operationId))
    .flatMap(({ operation, ...place }) =>
      exampleCalls(operation, { ...place, origin: url }).map((call) => ({
        name: operation.operationId,
        call
      }))
    )
  for (const { label, write } of LANGUAGES) {
    const samples = calls.map(({ name, call }) => ({ name, source: write({ ...call, withKey: true }) }))
    for (const { source } of samples) t.notMatch(source, key, 'the key itself is in none')
    const folder = await workplace(t, label)
    for (const { name, status, said } of await RUN[label](samples, { folder, url, key }))
      t.ok(status >= 200 && status < 300, `${label}: ${name} ${status === 0 ? said : ''}`)
    const [refused] = await RUN[label](samples.slice(0, 1), { folder, url, key: 'another-key-than-that' })
    t.equal(refused.status, 0, `${label}: another key is refused`)
  }
})

t.test('what users write stays what it is in every language', async (t) => {
  const { url } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip' })
  const folder = await workplace(t, 'strange')
  const strange = `it's "so" \\ strange\n$HOME \`id\` \${1} 'é 🍎 \u2028 {0}`
  const odd = 'a;b, "c" \'d\'.png'
  await copyFile(`${folder}/apple.png`, `${folder}/${odd}`)
  const call = {
    origin: url,
    method: 'PATCH',
    path: '/v1/collections/{collection}/records/{id}',
    pathValues: { collection: 'things', id: `a/b#c?'d "é` },
    query: {},
    headers: {},
    answer: { kind: 'json' as const },
    withKey: false
  }
  const create = {
    ...call,
    method: 'PUT',
    path: '/v1/collections/{collection}',
    pathValues: { collection: 'things' }
  }
  const upsert = {
    ...call,
    method: 'POST',
    path: '/v1/collections/{collection}/records',
    pathValues: { collection: 'things' },
    body: {
      kind: 'json' as const,
      value: { records: [{ id: call.pathValues.id, text: 'x', metadata: { strange } }] }
    }
  }
  const form = {
    ...upsert,
    body: {
      kind: 'form' as const,
      files: [['image', odd]] as [string, string][],
      fields: [
        ['id', `form ' " é`],
        ['text', '@apple.png;type=x'],
        ['metadata', JSON.stringify({ strange })]
      ] as [string, string][]
    }
  }
  const patch = {
    ...call,
    body: { kind: 'json' as const, value: { metadata: { [strange]: [true, false, null, 1.5, {}] } } }
  }
  for (const { label, write } of LANGUAGES) {
    const samples = Object.entries({ create, upsert, form, patch }).map(([name, each]) => ({
      name,
      source: write(each)
    }))
    for (const { name, status, said } of await RUN[label](samples, { folder, url }))
      t.ok(status >= 200, `${label}: ${name} ${status === 0 ? said : ''}`)
    const read = async (id: string) =>
      (await (
        await fetch(`${url}/v1/collections/things/records/${encodeURIComponent(id)}`)
      ).json()) as Record<string, unknown>
    t.same(
      (await read(call.pathValues.id)).metadata,
      { strange, [strange]: [true, false, null, 1.5, {}] },
      label
    )
    t.match(
      await read(`form ' " é`),
      { text: '@apple.png;type=x', metadata: { strange } },
      `${label}, as a form`
    )
    await fetch(`${url}/v1/collections/things`, { method: 'DELETE' })
  }
})

t.test('the samples in TypeScript are right by their types', async (t) => {
  const folder = t.testdir()
  const samples = examplesInOrder(parse(await openapiYaml())).flatMap(({ operation }) =>
    operation['x-codeSamples']!.filter(({ lang }) => lang === 'TypeScript').map(({ source }, i) => ({
      file: `${folder}/${operation.operationId}-${i}.ts`,
      source
    }))
  )
  // What the client's own functions would not say is a plain call.
  const more: Record<string, (body: SampleBody) => SampleBody> = {
    upsertRecords: (body) =>
      body.kind === 'form' ? { ...body, fields: [...body.fields, ['id', 'another']] } : body,
    bulkRecords: (body) => ({ ...body, text: 'no JSON' }) as SampleBody
  }
  const plain = examplesInOrder(parse(await openapiYaml()))
    .filter(({ operation }) => operation.operationId in more)
    .flatMap(({ operation, ...place }) =>
      exampleCalls(operation, place).map((call, i) => ({
        file: `${folder}/${operation.operationId}-plain-${i}.ts`,
        source: typescriptSample({ ...call, body: more[operation.operationId](call.body!) })
      }))
    )
  t.equal(plain.length, 3)
  for (const { source } of plain) t.match(source, /await client\.post\(/)
  samples.push(...plain)
  for (const { file, source } of samples) await writeFile(file, source)
  const program = ts.createProgram(
    samples.map(({ file }) => file),
    {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      lib: ['lib.es2023.d.ts']
    }
  )
  t.same(
    ts
      .getPreEmitDiagnostics(program)
      .map(
        ({ file, messageText }) =>
          `${file?.fileName.split('/').at(-1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
      ),
    []
  )
})
