import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { npyHeader } from '../../../../src/collections/exports/npy.js'
import { captionedFolder, colourRecords, evaluated } from '../../../fixtures/evaluations.js'
import { solid } from '../../../fixtures/images.js'
import { client, testServer } from '../../../fixtures/server.js'
import { startProcess } from '../../../fixtures/service.js'

const UNKNOWN = '00000000-0000-4000-8000-000000000000'

t.test('a folder is evaluated: followed, listed, read as JSON and as a page, and removed', async (t) => {
  const folder = t.testdir({ datasets: {}, data: {} })
  await captionedFolder(join(folder, 'datasets', 'colours'))
  await captionedFolder(join(folder, 'datasets', 'many'), 150)
  const { api, url } = await testServer(t, {
    DATASETS_DIR: join(folder, 'datasets'),
    DATA_DIR: join(folder, 'data')
  })
  const started = await api('POST', '/v1/evaluations', {
    dataset: { folder: 'colours' },
    tasks: ['retrieval'],
    seed: 7,
    resamples: 200
  })
  t.match(started, {
    status: 202,
    body: {
      kind: 'evaluation',
      state: 'running',
      collection: null,
      dataset: { folder: 'colours' },
      model: 'mini',
      against: null,
      tasks: ['retrieval'],
      error: null,
      ended_at: null,
      report_url: null
    }
  })
  const { id } = started.body
  t.equal(started.headers.get('location'), `/v1/evaluations/${id}`)
  t.match(await api('GET', `/v1/evaluations/${id}/report`), {
    status: 409,
    body: { error: { code: 'EVALUATION_NOT_DONE' } }
  })
  const events = (await (await fetch(`${url}/v1/jobs/${id}/events`)).text()).trim().split('\n\n')
  t.match(events.at(-1), /^event: end\ndata: \{.*"state":"done"/)
  t.ok(
    events.some((event) => /"step":"[^"]*images/.test(event)),
    'it tells the step that it is at'
  )

  const done = (await api('GET', `/v1/evaluations/${id}`)).body
  t.match(done, {
    state: 'done',
    ended_at: String,
    report_url: `/v1/evaluations/${id}/report`,
    report: {
      version: 1,
      settings: { seed: 7, resamples: 200 },
      models: [{ name: 'mini', fingerprint: done.fingerprint }],
      datasets: [{ name: 'colours/captions', kind: 'captions', counts: { items: 10, images: 10 } }]
    }
  })
  const { value, low, high, items } =
    done.report.datasets[0].results[0].tasks[0].figures['text_to_image.recall@1']
  t.ok(0 <= low && low <= value && value <= high && high <= 1 && items === 10, 'a figure with its interval')
  const { evaluations } = (await api('GET', '/v1/evaluations')).body
  t.match(evaluations, [{ id, state: 'done' }])
  t.notOk('report' in evaluations[0])
  t.match(
    (await api('GET', `/v1/jobs/${id}`)).body,
    { id, kind: 'evaluation', state: 'done' },
    'it is a job like others'
  )

  const page = await api('GET', done.report_url)
  t.match(page.headers.get('content-type'), 'text/html')
  t.match(page.headers.get('content-security-policy'), /default-src 'none'.*sandbox/)
  t.match(page.headers.get('content-disposition'), `inline; filename="evaluation-${id}.html"`)
  t.equal(page.headers.get('x-content-type-options'), 'nosniff')
  t.match(page.body, /^<!doctype html>[^]*colours/i)
  t.notMatch(page.body, folder, 'no path of the machine')
  t.match((await api('GET', '/metrics')).body, /semblance_evaluations_total\{state="done"\} 1/)

  await t.test('one runs at a time; those that wait, and the one that runs, can be ended', async (t) => {
    const first = (await api('POST', '/v1/evaluations', { dataset: { folder: 'many' } })).body
    const second = (await api('POST', '/v1/evaluations', { dataset: { folder: 'colours' } })).body
    const third = (
      await api('POST', '/v1/evaluations', { dataset: { folder: 'colours' }, tasks: ['retrieval'] })
    ).body
    t.match(
      [first, second, third].map(({ state }) => state),
      ['running', 'queued', 'queued']
    )
    t.match(
      (await api('DELETE', `/v1/jobs/${second.id}`)).body,
      { state: 'cancelled', ended_at: String },
      'before its turn'
    )
    t.match((await api('GET', `/v1/evaluations/${second.id}`)).body, { state: 'cancelled', report: null })
    t.match((await api('GET', `/v1/evaluations/${first.id}`)).body, { state: 'running' })
    t.equal((await api('DELETE', `/v1/evaluations/${first.id}`)).status, 204, 'in the middle')
    t.match(await evaluated(api, third.id), { state: 'done' }, 'the next one has its turn')
    for (let waiting = 0; waiting < 17; waiting++)
      t.equal((await api('POST', '/v1/evaluations', { dataset: { folder: 'many' } })).status, 202)
    const full = await api('POST', '/v1/evaluations', { dataset: { folder: 'many' } })
    t.match(full, { status: 429, body: { error: { code: 'QUEUE_FULL' } } })
    t.ok(full.headers.get('retry-after'))
    for (const { id } of (await api('GET', '/v1/evaluations')).body.evaluations)
      t.equal((await api('DELETE', `/v1/evaluations/${id}`)).status, 204)
  })

  t.match(
    await api('GET', `/v1/evaluations/${id}`),
    { status: 404, body: { error: { code: 'EVALUATION_NOT_FOUND' } } },
    'what is removed is gone'
  )
  t.match((await api('GET', '/v1/evaluations')).body, { evaluations: [] })
  t.same(await readdir(join(folder, 'data', 'evaluations')), [], 'with its file')
})

t.test('what cannot be evaluated is rejected, and said why', async (t) => {
  const folder = t.testdir({
    datasets: { empty: {}, broken: { 'captions.csv': 'file_name,text\nnowhere.png,a picture\n' } },
    secret: {}
  })
  const datasets = join(folder, 'datasets')
  await captionedFolder(join(datasets, 'colours'))
  await captionedFolder(join(folder, 'secret'))
  await symlink(join(folder, 'secret'), join(datasets, 'out'))
  await cp(join(datasets, 'colours'), join(datasets, 'linked'), { recursive: true })
  await symlink(join(folder, 'secret', '1.png'), join(datasets, 'linked', 'extra.png'))
  await mkdir(join(datasets, 'own'))
  await symlink(join(datasets, 'colours', '0.png'), join(datasets, 'own', 'picture.png'))
  await writeFile(
    join(datasets, 'own', 'captions.csv'),
    'file_name,text\npicture.png,a red wall\n../../secret/1.png,a secret\n'
  )
  // A table at the top, whose pictures are beside the folder of datasets, or behind a link beside the table.
  await mkdir(join(folder, 'images'))
  for (const name of ['beside.png', 'above.png'])
    await cp(join(folder, 'secret', '1.png'), join(folder, name === 'above.png' ? '.' : 'images', name))
  await mkdir(join(datasets, 'sole'))
  await symlink(join(folder, 'secret'), join(datasets, 'sole', 'photos'))
  await writeFile(
    join(datasets, 'sole', 'captions.csv'),
    'file_name,text\n1.png,behind a link\n../../secret/1.png,by dots\n' +
      `${join(folder, 'secret', '1.png')},by its path\n`
  )
  await writeFile(join(datasets, 'top.csv'), 'file_name,text\nbeside.png,beside\nabove.png,above\n')
  const { api } = await testServer(t, { DATASETS_DIR: datasets, DATA_DIR: join(folder, 'data') })
  const refused = async (body: object) => {
    const answer = await api('POST', '/v1/evaluations', body)
    t.notMatch(answer.body.error?.message, folder, 'no path of the machine')
    return [answer.status, answer.body.error?.code]
  }
  for (const name of [
    'nowhere',
    '../secret',
    'out',
    'out/captions.csv',
    'colours/../../secret',
    '/etc',
    '.',
    'colours\\..\\..\\secret'
  ])
    t.same(await refused({ dataset: { folder: name } }), [404, 'DATASET_NOT_FOUND'], name)
  t.same(await refused({ dataset: { folder: 'colours', images: '../../secret' } }), [
    404,
    'DATASET_NOT_FOUND'
  ])
  for (const name of ['linked', 'empty', 'broken', 'sole', 'sole/captions.csv', 'top.csv'])
    t.same(await refused({ dataset: { folder: name } }), [422, 'EVALUATION_INVALID'], name)
  t.same(
    await refused({ dataset: { folder: 'colours' }, tasks: ['zero-shot'] }),
    [422, 'EVALUATION_INVALID'],
    'a task that it does not allow'
  )
  t.same(
    await refused({ dataset: { folder: 'colours' }, templates: ['nowhere-80'] }),
    [422, 'TEMPLATE_INVALID'],
    'before it is queued'
  )
  t.same(await refused({ dataset: { folder: 'colours' }, tasks: ['singing'] }), [400, 'INVALID_REQUEST'])
  t.same(await refused({ dataset: { folder: 'colours', collection: 'x' } }), [400, 'INVALID_REQUEST'])
  t.same(await refused({ dataset: { folder: 'col\u0000ours' } }), [400, 'INVALID_REQUEST'])
  t.same(await refused({ dataset: { folder: 'colours' }, model: 'huge' }), [404, 'MODEL_NOT_FOUND'])
  t.same(await refused({ dataset: { folder: 'colours' }, against: 'huge' }), [404, 'MODEL_NOT_FOUND'])
  t.same(await refused({ dataset: { folder: 'colours' }, against: 'mini' }), [422, 'EVALUATION_INVALID'])
  t.same(await refused({ dataset: { collection: 'nowhere' } }), [404, 'COLLECTION_NOT_FOUND'])
  for (const path of [UNKNOWN, `${UNKNOWN}/report`])
    t.match(await api('GET', `/v1/evaluations/${path}`), {
      status: 404,
      body: { error: { code: 'EVALUATION_NOT_FOUND' } }
    })
  t.match(await api('DELETE', `/v1/evaluations/${UNKNOWN}`), { status: 404 })
  const within = (
    await api('POST', '/v1/evaluations', { dataset: { folder: 'own' }, tasks: ['retrieval'], resamples: 100 })
  ).body
  const { report } = await evaluated(api, within.id)
  t.match(
    report.datasets[0].counts,
    { items: 1, faults: 1 },
    'what lies elsewhere is left out and counted, a link within is followed'
  )

  t.test('and without a folder of datasets there are none', async (t) => {
    const other = await testServer(t, {
      MODELS_DIR: 'test/fixtures/towers',
      MODELS: 'clip',
      DATA_DIR: join(folder, 'other')
    })
    t.match(await other.api('POST', '/v1/evaluations', { dataset: { folder: 'colours' } }), {
      status: 422,
      body: { error: { code: 'DATASETS_DISABLED', message: /DATASETS_DIR/ } }
    })
  })
})

t.test(
  'what is wrong with a dataset is told from what is wrong with the service, though a thread finds it',
  async (t) => {
    const folder = t.testdir({ datasets: { vectors: {}, bad: {} } })
    const datasets = join(folder, 'datasets')
    const rows = (...values: number[]) =>
      Buffer.concat([npyHeader(values.length / 2, 2), Buffer.from(Float32Array.from(values).buffer)])
    await writeFile(join(datasets, 'vectors', 'images.npy'), rows(1, 0, 0, 0))
    await writeFile(join(datasets, 'vectors', 'captions.npy'), rows(1, 0, 0, 1))
    await captionedFolder(join(datasets, 'colours'))
    const { api } = await testServer(t, { DATASETS_DIR: datasets, DATA_DIR: join(folder, 'data') })
    const failed = async (name: string) =>
      (
        await evaluated(
          api,
          (
            await api('POST', '/v1/evaluations', {
              dataset: { folder: name },
              tasks: ['retrieval'],
              resamples: 100
            })
          ).body.id
        )
      ).error
    const ofDataset = await failed('vectors')
    t.match(ofDataset, { code: 'EVALUATION_INVALID', message: /row 1 is all zeros/ })
    t.notMatch(ofDataset.message, folder, 'no path of the machine')
    const { fingerprint } = (await api('GET', '/v1/models')).body.models[0]
    const kept = join(folder, 'data', 'evaluation-cache', `${fingerprint}.sqlite`)
    await rm(kept, { force: true })
    await mkdir(kept, { recursive: true })
    t.match(
      await failed('colours'),
      { code: 'INTERNAL', message: /the log has the details under the id of this job/ },
      'a folder where the embeddings are to be kept'
    )
  }
)

t.test('an evaluation continues after the service was killed, with what was embedded', async (t) => {
  const folder = t.testdir({ datasets: {}, data: {} })
  await captionedFolder(join(folder, 'datasets', 'many'), 200)
  const env = {
    DATASETS_DIR: join(folder, 'datasets'),
    DATA_DIR: join(folder, 'data'),
    DEMO: 'false',
    ENCODER_WORKERS: '1',
    EXPRESS_WORKER: 'false',
    DECODE_WORKERS: '1',
    IMAGE_BATCH_SIZE: '4'
  }
  let service = await startProcess(t, env)
  let api = client(service.url)
  const { id } = (
    await api('POST', '/v1/evaluations', {
      dataset: { folder: 'many' },
      tasks: ['retrieval'],
      resamples: 100
    })
  ).body
  const next = (
    await api('POST', '/v1/evaluations', {
      dataset: { folder: 'many', limit: 5 },
      tasks: ['retrieval'],
      resamples: 100
    })
  ).body.id
  for (let done = 0; done < 100; done = (await api('GET', `/v1/evaluations/${id}`)).body.progress.done)
    await sleep(20)
  service.child.kill('SIGKILL')
  await service.ended
  service = await startProcess(t, env)
  api = client(service.url)
  t.match(
    (await api('GET', `/v1/evaluations/${next}`)).body,
    { state: 'queued' },
    'in the order that they had'
  )
  t.match(await evaluated(api, id), {
    state: 'done',
    report: { datasets: [{ counts: { items: 200, faults: 0 } }] }
  })
  t.match(await evaluated(api, next), { state: 'done', report: { datasets: [{ counts: { items: 5 } }] } })
  const [, made] = /"made":(\d+)/.exec(service.output()) ?? []
  t.ok(
    Number(made) > 0 && Number(made) < 350,
    `${made} of 400 images and texts were embedded after the restart`
  )
  const [first] = await readdir(join(folder, 'data', 'evaluations'))
  t.match(JSON.parse(await readFile(join(folder, 'data', 'evaluations', first), 'utf8')), { version: 1 })
})

t.test('a collection is evaluated by the embeddings that it has', async (t) => {
  const { api } = await testServer(t, {
    MODELS: `mini,${fileURLToPath(new URL('../../../fixtures/towers/clip', import.meta.url))}`
  })
  await api('PUT', '/v1/collections/walls')
  const records = await colourRecords(40)
  await api('POST', '/v1/collections/walls/records', {
    records: [
      ...records,
      { id: 'alone', text: 'nothing to see' },
      {
        id: 'odd',
        image: { base64: (await solid('teal')).toString('base64') },
        metadata: { kind: ['red', 'blue'] }
      }
    ]
  })
  const { tower_inputs: before } = await encoded(api)
  const { body } = await api('POST', '/v1/evaluations', {
    dataset: { collection: 'walls' },
    tasks: ['retrieval'],
    resamples: 200
  })
  t.match(body, { collection: 'walls', dataset: { collection: 'walls', limit: 10_000 } })
  const { state, error, report } = await evaluated(api, body.id)
  t.match({ state, error }, { state: 'done', error: null })
  t.equal((await encoded(api)).tower_inputs, before, 'nothing was encoded for it')
  const [dataset] = report.datasets
  t.match(dataset, {
    name: 'walls',
    format: 'collection',
    kind: 'collection',
    counts: { items: 40, images: 40, captions: 40 }
  })
  const { figures, method } = dataset.results[0].tasks[0]
  for (const name of ['text_to_image', 'image_to_text']) {
    t.ok(figures[`${name}_hnsw.overlap@10`].value > 0.99, 'the graph of so few finds all')
    t.equal(figures[`${name}_hnsw.recall@5`].value, figures[`${name}_exact.recall@5`].value)
  }
  const exact = await recallBySearches(api, records)
  t.ok(
    Math.abs(figures['text_to_image_exact.recall@1'].value - exact) < 1e-9,
    'as searching for each text gives it'
  )
  t.match(method.at(-1), /_hnsw/)

  t.test('with labels, limits and other settings', async (t) => {
    const classified = (
      await api('POST', '/v1/evaluations', {
        dataset: { collection: 'walls', label_field: 'nested.of', limit: 20 }
      })
    ).body
    const { report: limited, error } = await evaluated(api, classified.id)
    t.equal(error, null)
    t.match(limited.datasets[0].counts, { items: 20, labels: 2 })
    t.ok(
      limited.datasets[0].results[0].tasks.every(({ flags }: { flags: { code: string }[] }) =>
        flags.some(({ code }) => code === 'SAMPLE')
      ),
      'a sample is said to be one'
    )
    const unlabelled = (
      await api('POST', '/v1/evaluations', { dataset: { collection: 'walls', label_field: 'none' } })
    ).body
    t.match(await evaluated(api, unlabelled.id), {
      state: 'failed',
      error: { code: 'EVALUATION_INVALID', message: /'none'/ }
    })
  })

  t.test('what does not go together is rejected', async (t) => {
    await api('PUT', '/v1/collections/brought', { model: null, dimension: 2 })
    const cases: [object, number, string][] = [
      [{ dataset: { collection: 'brought' } }, 422, 'COLLECTION_HAS_NO_MODEL'],
      [{ dataset: { collection: 'walls' }, model: 'clip' }, 409, 'FINGERPRINT_MISMATCH'],
      [{ dataset: { collection: 'walls' }, against: 'clip' }, 422, 'EVALUATION_INVALID'],
      [{ dataset: { collection: 'walls' }, tasks: ['zero-shot'] }, 422, 'EVALUATION_INVALID'],
      [{ dataset: { collection: 'walls', split: 'test' } }, 400, 'INVALID_REQUEST']
    ]
    for (const [asked, status, code] of cases)
      t.match(
        await api('POST', '/v1/evaluations', asked),
        { status, body: { error: { code } } },
        JSON.stringify(asked)
      )
  })

  t.test('records that come and go meanwhile are in it or not', async (t) => {
    const { id } = (
      await api('POST', '/v1/evaluations', { dataset: { collection: 'walls' }, tasks: ['retrieval'] })
    ).body
    await api('POST', '/v1/collections/walls/records/delete', {
      ids: records.slice(0, 20).map(({ id: record }) => record)
    })
    t.match(await evaluated(api, id), { state: 'done' })
    const dropped = (
      await api('POST', '/v1/evaluations', { dataset: { collection: 'walls' }, tasks: ['retrieval'] })
    ).body.id
    await api('DELETE', '/v1/collections/walls')
    t.match((await evaluated(api, dropped)).state, /^(done|failed)$/, 'one that is dropped ends it')
  })
})

/** What the towers have encoded so far. */
async function encoded(api: ReturnType<typeof client>): Promise<{ tower_inputs: number }> {
  const { body } = await api('GET', '/metrics')
  const counts = [...String(body).matchAll(/^semblance_tower_inputs_total\{[^}]*\} (\d+)/gm)].map(
    ([, count]) => Number(count)
  )
  return { tower_inputs: counts.reduce((sum, count) => sum + count, 0) }
}

async function recallBySearches(
  api: ReturnType<typeof client>,
  records: { id: string; text: string }[]
): Promise<number> {
  const hits = await Promise.all(
    records.map(
      async ({ id, text }) =>
        (
          await api('POST', '/v1/collections/walls/search', {
            query: { text },
            target: 'image',
            limit: 1,
            exact: true
          })
        ).body.matches[0].id === id
    )
  )
  return hits.filter(Boolean).length / records.length
}
