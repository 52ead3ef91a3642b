import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { solid } from '../../../fixtures/images.js'
import { miniWithPreprocessing } from '../../../fixtures/mini.js'
import { client, ownFolder, testServer, type Api } from '../../../fixtures/server.js'
import { startProcess, whenReady } from '../../../fixtures/service.js'

/** Another encoder, whose image embeddings differ. The services of this file share it. */
const other = await miniWithPreprocessing(join(t.testdir(), 'other'), {
  resample: 2,
  image_mean: [0.4, 0.5, 0.6],
  image_std: [0.3, 0.3, 0.3]
})
const MODELS = `mini,${other}`

const picture = async (colour: string, width = 60) => ({
  base64: (await solid(colour, { width, height: 40 })).toString('base64')
})

// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function ended(api: Api, id: string): Promise<Record<string, any>> {
  for (let waited = 0; waited < 60_000; waited += 50) {
    const { body } = await api('GET', `/v1/jobs/${id}`)
    if (body.state !== 'running') return body
    await sleep(50)
  }
  throw new Error('The job did not end.')
}

async function embeddingsOf(api: Api, collection: string, target = 'image'): Promise<Map<string, number[]>> {
  const { body } = await api('POST', `/v1/collections/${collection}/search`, {
    query: { record: 'probe', modality: 'text' },
    target,
    limit: 1000,
    exact: true,
    with: ['embeddings']
  })
  return new Map(
    body.matches.map((match: { id: string; embeddings: Record<string, number[]> }) => [
      match.id,
      match.embeddings[target]
    ])
  )
}

t.test('a collection is encoded again by another model, while it serves and is written to', async (t) => {
  const { api } = await testServer(t, { MODELS })
  await api('PUT', '/v1/collections/things')
  const records = await Promise.all(
    Array.from({ length: 150 }, async (_, i) => ({
      id: `r${i}`,
      image: await picture(`rgb(${i}, ${255 - i}, 90)`, 60 + i),
      text: `thing ${i}`,
      metadata: { i }
    }))
  )
  await api('POST', '/v1/collections/things/records', {
    records: [...records, { id: 'probe', text: 'a colour' }]
  })
  const before = (await api('GET', '/v1/collections/things')).body
  const old = await embeddingsOf(api, 'things')
  t.equal((await api('POST', '/v1/collections/things/backups', { name: 'before' })).status, 201)

  const started = await api('POST', '/v1/collections/things/reindex', { model: 'other' })
  t.match(started, {
    status: 202,
    body: {
      kind: 'reindex',
      collection: 'things',
      model: 'other',
      state: 'running',
      error: null,
      ended_at: null
    }
  })
  t.equal(started.headers.get('location'), `/v1/jobs/${started.body.id}`)
  t.match(await api('POST', '/v1/collections/things/reindex', {}), {
    status: 409,
    body: { error: { code: 'REINDEX_RUNNING', message: new RegExp(started.body.id) } }
  })
  t.match(await api('POST', '/v1/collections/things/restore?replace=true', { backup: 'before' }), {
    status: 409,
    body: { error: { code: 'REINDEX_RUNNING' } }
  })
  t.match(await api('GET', '/v1/collections/things'), { body: { model: 'mini' } }, 'the old one serves')
  t.equal((await api('GET', '/v1/collections')).body.collections.length, 1, 'what is made is not shown')
  const writes = ['late', 'r1', 'r2'].map(async (id, n) => {
    const call = () =>
      n < 2
        ? api('POST', '/v1/collections/things/records', {
            records: [{ id, text: `late ${n}`, metadata: { late: true } }]
          })
        : api('DELETE', `/v1/collections/things/records/${id}`)
    // One that is overtaken by the swap is to be sent again.
    for (let answer = await call(); ; answer = await call()) if (answer.status !== 503) return answer.status
  })
  t.same(await Promise.all(writes), [200, 200, 204])
  const job = await ended(api, started.body.id)
  t.match(job, {
    state: 'done',
    progress: { done: 151, total: 151 },
    missing: { count: 0 },
    error: null,
    ended_at: String
  })

  const after = (await api('GET', '/v1/collections/things')).body
  t.match(after, {
    model: 'other',
    fingerprint: job.fingerprint,
    records: 151,
    images: 148,
    texts: 151,
    created_at: before.created_at,
    hnsw: before.hnsw
  })
  t.not(after.fingerprint, before.fingerprint)
  t.match((await api('GET', '/v1/collections/things/records/r1')).body, {
    text: 'late 1',
    metadata: { late: true },
    image_url: null
  })
  t.match(await api('GET', '/v1/collections/things/records/r2'), { status: 404 })
  t.match((await api('GET', '/v1/collections/things/records/r3')).body, {
    text: 'thing 3',
    metadata: { i: 3 }
  })
  const anew = await embeddingsOf(api, 'things')
  t.equal(anew.size, 148)
  const asEncoded = (
    await api('POST', '/v1/embeddings', {
      model: 'other',
      input: records.slice(3, 6).map(({ image }) => ({ image }))
    })
  ).body.data
  for (const [i, { embedding }] of asEncoded.entries()) {
    t.ok(
      anew.get(`r${i + 3}`)!.every((value, d) => Math.abs(value - embedding[d]) < 1e-5),
      `r${i + 3} has the other model's embedding`
    )
    t.notOk(
      old.get(`r${i + 3}`)!.every((value, d) => Math.abs(value - embedding[d]) < 1e-5),
      'which is not the old one'
    )
  }
  t.match(
    await api('POST', '/v1/collections/things/records', { records: [{ id: 'new', text: 'x' }] }),
    { status: 200 },
    'and it takes records'
  )
  t.match((await api('GET', '/v1/jobs')).body.jobs, [{ id: job.id, state: 'done' }])
  t.match(
    await api('POST', '/v1/collections/things/restore?replace=true', { backup: 'before' }),
    { status: 200, body: before },
    'and the way back is a backup'
  )
  t.same(await embeddingsOf(api, 'things'), old)
})

t.test('records whose image was not kept are named, and left out only if that is asked for', async (t) => {
  const { api } = await testServer(t, { MODELS })
  await api('PUT', '/v1/collections/things', { storage: 'none' })
  await api('POST', '/v1/collections/things/records', {
    records: [
      { id: 'probe', text: 'red' },
      { id: 'both', text: 'a red thing', image: await picture('red') },
      { id: 'bare', image: await picture('blue') }
    ]
  })
  const refused = await ended(
    api,
    (await api('POST', '/v1/collections/things/reindex', { model: 'other' })).body.id
  )
  t.match(refused, {
    state: 'failed',
    error: {
      code: 'REINDEX_INCOMPLETE',
      message: /2 embeddings of 'things'.*'bare' \(image: no image was kept\).*skip_missing/
    }
  })
  t.same(refused.missing, {
    count: 2,
    records: ['bare', 'both'].map((id) => ({ id, modality: 'image', reason: 'no image was kept' }))
  })
  t.match((await api('GET', '/v1/collections/things')).body, { model: 'mini', images: 2 }, 'nothing was lost')

  const done = await ended(
    api,
    (await api('POST', '/v1/collections/things/reindex', { model: 'other', skip_missing: true })).body.id
  )
  t.match(done, { state: 'done', missing: { count: 2 } })
  t.match((await api('GET', '/v1/collections/things')).body, {
    model: 'other',
    records: 3,
    images: 0,
    texts: 2
  })
  t.match(
    (await api('GET', '/v1/collections/things/records/bare')).body,
    { id: 'bare', modalities: [] },
    'it is there, and found by nothing'
  )
  t.match(await api('PATCH', '/v1/collections/things/records/bare', { metadata: { kept: true } }), {
    status: 200
  })
  t.match(
    await api('PATCH', '/v1/collections/things/records/bare', { image: await picture('blue') }),
    { status: 200 },
    'until its image is sent again'
  )
  t.match((await api('GET', '/v1/collections/things')).body, { images: 1 })
})

t.test('a job is followed, cancelled, and refused where it makes no sense', async (t) => {
  const dataDir = await ownFolder(t)
  const { api, url } = await testServer(t, { MODELS, DATA_DIR: dataDir })
  await api('PUT', '/v1/collections/brought', { model: null, dimension: 2 })
  t.match(await api('POST', '/v1/collections/brought/reindex'), {
    status: 422,
    body: { error: { code: 'COLLECTION_HAS_NO_MODEL' } }
  })
  t.match(await api('POST', '/v1/collections/nowhere/reindex'), {
    status: 404,
    body: { error: { code: 'COLLECTION_NOT_FOUND' } }
  })
  t.match(await api('GET', '/v1/jobs/00000000-0000-4000-8000-000000000000/events'), {
    status: 404,
    body: { error: { code: 'JOB_NOT_FOUND' } }
  })
  await api('PUT', '/v1/collections/things')
  t.match(await api('POST', '/v1/collections/things/reindex', { model: 'huge' }), {
    status: 404,
    body: { error: { code: 'MODEL_NOT_FOUND', message: /loaded models: 'mini', 'other'/ } }
  })
  const records = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => ({ id: `r${i}`, image: await picture(`rgb(${i}, 0, 0)`) }))
  )
  await api('POST', '/v1/collections/things/records', { records })

  const { id } = (await api('POST', '/v1/collections/things/reindex', { model: 'other' })).body
  const stream = (await fetch(`${url}/v1/jobs/${id}/events`)).body!.pipeThrough(new TextDecoderStream())
  t.match(await api('DELETE', `/v1/jobs/${id}`), { status: 200, body: { state: 'cancelled', error: null } })
  t.match((await api('GET', '/v1/collections/things')).body, { model: 'mini', images: 200 })
  let text = ''
  for await (const chunk of stream) text += chunk
  t.match(text, /^event: progress\ndata: \{.*"state":"running".*\}\n\n/)
  t.match(text, /event: end\ndata: \{.*"state":"cancelled".*\}\n\n$/)

  const again = (await api('POST', '/v1/collections/things/reindex', { model: 'other' })).body.id
  const followed = await (await fetch(`${url}/v1/jobs/${again}/events`)).text()
  const states = followed
    .trim()
    .split('\n\n')
    .map((event) => JSON.parse(event.split('data: ')[1]).progress.done)
  t.ok(
    states.length > 2 && states.every((done, i) => i === 0 || done >= states[i - 1]),
    `progress grows: ${states}`
  )
  t.equal(states.at(-1), 200)
  await api('DELETE', '/v1/collections/things')
  t.match(await api('POST', '/v1/collections/things/reindex'), { status: 404 })
})

t.test('a kept image that is damaged is named; a dropped collection ends its job', async (t) => {
  const dataDir = await ownFolder(t)
  const { api } = await testServer(t, { MODELS, DATA_DIR: dataDir })
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', {
    records: [
      { id: 'gone', image: await picture('red') },
      { id: 'torn', image: await picture('blue', 61) }
    ]
  })
  const [first, second] = await readdir(join(dataDir, 'images'))
  await rm(join(dataDir, 'images', first))
  await writeFile(join(dataDir, 'images', second), 'no picture')
  const job = await ended(
    api,
    (await api('POST', '/v1/collections/things/reindex', { model: 'other' })).body.id
  )
  t.match(job, { state: 'failed', error: { code: 'REINDEX_INCOMPLETE' }, missing: { count: 2 } })
  t.same(job.missing.records.map((record: { id: string }) => record.id).sort(), ['gone', 'torn'])
  t.match((await api('GET', '/v1/collections/things')).body, { model: 'mini', images: 2 })
})

t.test('a service that is killed in the middle continues with the job', async (t) => {
  const env = { MODELS, DATA_DIR: t.testdir(), DEMO: 'false' }
  let service = await startProcess(t, env)
  let api = client(service.url)
  await whenReady(service.url)
  await api('PUT', '/v1/collections/things')
  for (let page = 0; page < 4; page++) {
    const records = await Promise.all(
      Array.from({ length: 150 }, async (_, i) => ({
        id: `r${page * 150 + i}`,
        image: await picture(`rgb(${page * 60}, ${i}, 9)`),
        metadata: { page }
      }))
    )
    t.equal((await api('POST', '/v1/collections/things/records', { records })).status, 200)
  }
  const { id } = (await api('POST', '/v1/collections/things/reindex', { model: 'other' })).body
  const seen: number[] = []
  for (let kills = 0; kills < 2; kills++) {
    for (let waited = 0; waited < 60_000; waited += 20) {
      const { progress } = (await api('GET', `/v1/jobs/${id}`)).body
      if (progress.done >= 120 * (kills + 1)) {
        seen.push(progress.done)
        break
      }
      await sleep(20)
    }
    service.child.kill('SIGKILL')
    await service.ended
    service = await startProcess(t, env)
    api = client(service.url)
    t.match((await api('GET', `/v1/jobs/${id}`)).body, { id, state: 'running', collection: 'things' })
    t.match((await api('GET', '/v1/collections/things')).body, { model: 'mini', records: 600 })
  }
  t.equal(seen.length, 2, 'killed in the middle, twice')
  const followed = await (await fetch(`${service.url}/v1/jobs/${id}/events`)).text()
  const first = JSON.parse(
    followed
      .split('data: ')
      .find((part) => /"done":[1-9]/.test(part))!
      .split('\n')[0]
  )
  t.ok(first.progress.done >= seen[1], `it went on at ${first.progress.done}, not at the beginning`)
  t.match(await ended(api, id), { state: 'done', progress: { done: 600, total: 600 } })
  t.match((await api('GET', '/v1/collections/things')).body, { model: 'other', records: 600, images: 600 })
  service.child.kill('SIGTERM')
  t.equal(await service.ended, 0)
})
