import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createEncoder, type Encoder } from '../../../src/encoder/encoder.js'
import { loadModelPackage } from '../../../src/encoder/model-package.js'
import { openDataset } from '../../../src/evaluation/datasets/open-dataset.js'
import { folderName } from '../../../src/evaluation/run/evaluate-dataset.js'
import { openMatrix } from '../../../src/evaluation/statistics/matrix.js'
import { runEvaluation, type EvaluationRequest } from '../../../src/evaluation/run/run-evaluation.js'
import { TaskImpossible } from '../../../src/evaluation/tasks.js'
import { encoderOptions, miniEncoder } from '../../fixtures/mini.js'
import { inSequence } from '../../fixtures/pattern.js'

const small = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/datasets/small/${name}`, import.meta.url))
const FEW = { resamples: 50, templates: ['simple'] }

/** Encoders of the tiny towers. */
async function towers(t: Test, names: string[]): Promise<Encoder[]> {
  const encoders: Encoder[] = []
  for (const name of names)
    encoders.push(
      await createEncoder(
        await loadModelPackage(fileURLToPath(new URL(`../../fixtures/towers/${name}`, import.meta.url))),
        encoderOptions()
      )
    )
  t.teardown(() => Promise.all(encoders.map((encoder) => encoder.close())))
  return encoders
}

/** Runs an evaluation, and says what it embedded and which steps it took. */
async function run(request: EvaluationRequest) {
  const embedded: Record<string, number> = {}
  const steps = new Set<string>()
  const warnings: string[] = []
  const report = await runEvaluation({
    options: FEW,
    ...request,
    onEmbedded: ({ model, made }) => void (embedded[model] = made),
    onProgress: ({ step }) => void steps.add(step),
    onWarning: (warning) => warnings.push(warning)
  })
  return { report, embedded, steps: [...steps], warnings }
}

t.test(
  'two datasets and two models: all tasks that they allow, compared, with pictures; again nothing is encoded',
  async (t: Test) => {
    const folder = t.testdir()
    const encoders = await towers(t, ['clip', 'openclip'])
    const datasets = [await openDataset(small('coco/captions.json')), await openDataset(small('classes'))]
    const request = {
      datasets,
      encoders,
      tasks: ['retrieval', 'zero-shot'] as const,
      cache: { folder: join(folder, 'cache'), maxBytes: 1e9 }
    }
    const first = await run({ ...request, tasks: [...request.tasks] })
    const { report } = first
    t.match(report, {
      version: 1,
      models: [{ name: 'clip', dimension: encoders[0].dimension }, { name: 'openclip' }],
      settings: { seed: 0, resamples: 50, confidence: 0.95 }
    })
    t.match(
      report.datasets.map(({ kind, counts }) => ({ kind, counts })),
      [
        {
          kind: 'captions',
          counts: { items: 4, images: 4, captions: 8, labels: 0, faults: 0, duplicateImages: 0 }
        },
        { kind: 'classes', counts: { labels: 4, faults: 0 } }
      ]
    )
    t.same(
      report.datasets.map(({ results }) =>
        results.map(({ model, tasks }) => [model, ...tasks.map(({ task }) => task)])
      ),
      [
        [
          ['clip', 'retrieval'],
          ['openclip', 'retrieval']
        ],
        [
          ['clip', 'zero-shot'],
          ['openclip', 'zero-shot']
        ]
      ]
    )
    for (const { comparisons, results } of report.datasets) {
      t.ok(comparisons.length > 0)
      for (const { task, figure, first, second, difference, p } of comparisons) {
        const [one, other] = results.map(
          ({ tasks }) => tasks.find((each) => each.task === task)?.figures[figure]?.value
        )
        if (one !== undefined) t.same([first, second], [one, other], figure)
        t.ok(
          Math.abs(difference.value - (second - first)) < 1e-9,
          `${figure}: the difference is second minus first`
        )
        t.ok(p > 0 && p <= 1, `${figure}: p ${p}`)
      }
    }
    const shown = report.datasets.flatMap(({ name, results }) =>
      results
        .flatMap(({ tasks }) =>
          tasks.flatMap(({ worst = [] }) =>
            worst.flatMap(({ queries }) =>
              queries.flatMap(({ query, expected, returned }) => [
                query,
                ...expected,
                ...returned.map((one) => one.shown)
              ])
            )
          )
        )
        .flatMap((one) => ('image' in one ? [`${name} ${one.image}`] : []))
    )
    t.same(Object.keys(report.pictures).sort(), [...new Set(shown)].sort())
    for (const picture of Object.values(report.pictures))
      t.equal(Buffer.from(picture, 'base64').toString('latin1', 8, 12), 'WEBP')
    t.ok(
      first.steps.some((step) => /reading, images \(clip\)/.test(step)) &&
        first.steps.some((step) => /retrieval \(openclip\), computing/.test(step)),
      first.steps.join('; ')
    )
    t.ok(first.embedded.clip > 8 && first.embedded.openclip > 8)
    const second = await run({ ...request, tasks: [...request.tasks] })
    t.same(second.embedded, { clip: 0, openclip: 0 })
    t.same(second.report.datasets, report.datasets, 'and the report is the same')
  }
)

t.test('what cannot be read is left out for all models, counted and named', async (t: Test) => {
  const folder = t.testdir()
  await cp(small('images'), join(folder, 'images'), { recursive: true })
  await cp(small('coco'), join(folder, 'coco'), { recursive: true })
  await writeFile(join(folder, 'images', 'red-square.png'), 'no picture')
  const encoders = await towers(t, ['clip'])
  const request = { encoders, tasks: ['retrieval' as const] }
  const {
    report: {
      datasets: [{ counts, faults }]
    }
  } = await run({ ...request, datasets: [await openDataset(join(folder, 'coco', 'captions.json'))] })
  t.match(counts, { items: 3, images: 3, captions: 6, faults: 1 })
  t.match(faults, [{ name: /red-square\.png/, reason: /no known type/ }])
  for (const name of ['blue-circle', 'green-star', 'yellow-triangle'])
    await rm(join(folder, 'images', `${name}.png`))
  await t.rejects(
    openDataset(join(folder, 'coco', 'captions.json')).then((dataset) =>
      run({ ...request, datasets: [dataset] })
    ),
    /[Nn]o|Nothing/,
    'nothing is left'
  )
})

t.test('a task that cannot be done is rejected, with what is possible', async (t) => {
  const classes = await openDataset(small('classes'))
  const encoders = await towers(t, ['clip'])
  await t.rejects(runEvaluation({ datasets: [classes], encoders, tasks: ['retrieval'] }), {
    constructor: TaskImpossible,
    message: /retrieval needs images with captions.*'classes' is images with classes/
  })
  const coco = await openDataset(small('coco/captions.json'))
  await t.rejects(
    runEvaluation({ datasets: [classes, coco], encoders, tasks: ['zero-shot'] }),
    inSequence(
      /'coco\/captions' is images with captions, for which none of the requested tasks /,
      /is possible; possible tasks: retrieval/
    )
  )
  await t.rejects(runEvaluation({ datasets: [coco], encoders: [] }), /need a model/)
})

t.test('embeddings that were made before need no model', async (t) => {
  const { report } = await run({ datasets: [await openDataset(small('embeddings'))], encoders: [] })
  t.same(report.models, [])
  t.match(report.datasets, [
    {
      kind: 'embeddings',
      counts: { images: 4 },
      results: [{ model: 'embeddings', tasks: [{ task: 'retrieval' }] }]
    }
  ])
  t.match(report.datasets[0].results[0].tasks[0].figures['text_to_image.recall@1'], { value: Number })
})

t.test('a signal ends it at any step, with its reason', async (t: Test) => {
  const encoders = [await miniEncoder(t)]
  for (const at of [/reading, images/, /retrieval \(mini\), texts/, /computing/, /pictures/]) {
    const controller = new AbortController()
    const onProgress = ({ step }: { step: string }) =>
      void (at.test(step) && controller.abort(new Error(`enough at ${step}`)))
    await t.rejects(
      runEvaluation({
        datasets: [await openDataset(small('coco/captions.json'))],
        encoders,
        tasks: ['retrieval'],
        options: { resamples: at.test('computing') ? 200_000 : 10 },
        signal: controller.signal,
        onProgress
      }),
      { message: at }
    )
  }
})

t.test('all that was embedded is saved under its names', async (t: Test) => {
  const folder = join(t.testdir(), 'saved')
  const encoders = [await miniEncoder(t)]
  const datasets = [await openDataset(small('coco/captions.json'))]
  await run({ datasets, encoders, tasks: ['retrieval'], saveEmbeddings: folder })
  const names = async (list: string): Promise<string[]> =>
    JSON.parse(await readFile(join(folder, `${list}.json`), 'utf8'))
  const [texts, images] = [await names('texts'), await names('images')]
  t.equal(texts.length, 8)
  t.equal(images.length, 4)
  const matrix = openMatrix({ path: join(folder, 'texts.npy') })
  t.equal(matrix.rows, 8)
  const at = texts.indexOf('a green star')
  const expected = await encoders[0].encodeText('a green star')
  t.same([...matrix.read(at, at + 1)], [...expected])
  matrix.close()
  await run({
    datasets: [...datasets, ...datasets],
    encoders,
    tasks: ['retrieval'],
    saveEmbeddings: join(folder, 'several')
  })
  t.match((await readdir(join(folder, 'several'))).sort(), [
    'coco--captions',
    /^coco--captions-2-[0-9a-f]{8}$/
  ])
  t.ok((await readFile(join(folder, 'several', 'coco--captions', 'mini', 'images.json'), 'utf8')).length > 0)
})

t.test('names are folders, another one each', async (t) => {
  const names = [
    'a/b',
    'a-b',
    'a--b',
    'a-/b',
    'a/-b',
    'a b',
    'a (b)',
    '猫',
    '犬',
    'кот',
    'é',
    '.',
    '..',
    '../a',
    '-',
    '',
    'a/',
    'x'.repeat(300),
    `${'x'.repeat(300)}y`,
    '\u{1f600}'.repeat(90),
    'Xenova/clip-vit-base-patch32'
  ]
  const folders = names.map(folderName)
  t.equal(new Set(folders).size, names.length, folders.join(' '))
  t.ok(
    folders.every((folder) => /^[\p{L}\p{N}_][^/]*$/u.test(folder) && Buffer.byteLength(folder) <= 200),
    folders.join(' ')
  )
  t.same(['a/b', '猫', 'Xenova/clip-vit-base-patch32'].map(folderName), [
    'a--b',
    '猫',
    'Xenova--clip-vit-base-patch32'
  ])
})
