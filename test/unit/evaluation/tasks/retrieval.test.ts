import { readdir, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { EmbeddedPairs } from '../../../../src/evaluation/datasets/dataset.js'
import { openEmbeddings } from '../../../../src/evaluation/datasets/embeddings.js'
import type { Embedder, Rows } from '../../../../src/evaluation/embedding/embedder.js'
import { DEFAULT_OPTIONS } from '../../../../src/evaluation/run/run-evaluation.js'
import { writeNpy } from '../../../../src/evaluation/embedding/npy.js'
import { random } from '../../../../src/evaluation/statistics/statistics.js'
import type { TaskOptions } from '../../../../src/evaluation/tasks/task.js'
import { retrievalTask } from '../../../../src/evaluation/tasks/retrieval.js'

const OPTIONS = { ...DEFAULT_OPTIONS, resamples: 200 }
/** Of embeddings that are there already nothing is asked of a model. */
const embedder = {} as Embedder

function matrix(count: number, value: (row: number, column: number) => number, dimension = 8) {
  const values = new Float32Array(new SharedArrayBuffer(4 * count * dimension))
  for (let i = 0; i < values.length; i++) values[i] = value(Math.floor(i / dimension), i % dimension)
  return { dimension, values }
}

/** Images in random directions, each with some captions near it. */
function noisy({
  images,
  captionsEach,
  noise
}: {
  images: number
  captionsEach: number
  noise: number
}): EmbeddedPairs {
  const draw = random(4)
  const rows = matrix(images, () => draw.uniform() - 0.5)
  const imageOf = Uint32Array.from({ length: images * captionsEach }, (_, caption) =>
    Math.floor(caption / captionsEach)
  )
  const captions = matrix(
    imageOf.length,
    (row, column) => rows.values[imageOf[row] * rows.dimension + column] + noise * (draw.uniform() - 0.5)
  )
  return { name: 'noisy', format: 'embeddings', kind: 'embeddings', images: rows, captions, imageOf }
}

async function measure(dataset: EmbeddedPairs, options: TaskOptions = OPTIONS) {
  return retrievalTask.measure(await retrievalTask.prepare(dataset, { embedder, options }), options)
}

t.test('a model that says the same of everything scores chance, to the last digit', async (t) => {
  const imageOf = Uint32Array.from({ length: 60 }, (_, caption) => caption % 20)
  const {
    report: { figures }
  } = await measure({
    name: 'constant',
    format: 'embeddings',
    kind: 'embeddings',
    images: matrix(20, () => 1),
    captions: matrix(60, () => 1),
    imageOf
  })
  for (const way of ['text_to_image', 'image_to_text']) {
    for (const name of ['recall@1', 'recall@5', 'recall@10', 'map']) {
      const { value, chance } = figures[`${way}.${name}`]
      t.ok(Math.abs(value - chance!) < 1e-12, `${way}.${name} ${value}, chance ${chance}`)
    }
  }
  t.ok(Math.abs(figures['text_to_image.recall@5'].value - 5 / 20) < 1e-12)
  t.equal(figures['text_to_image.median_rank'].value, 10.5)
  t.equal(figures['image_to_text.median_rank'].value, 1 + 57 / 4, 'the first of three among sixty')
})

t.test(
  'figures, curves and values of each query agree, and captions of one image are drawn together',
  async (t) => {
    const { report, perItem, clusters } = await measure(noisy({ images: 150, captionsEach: 2, noise: 0.6 }))
    for (const [name, { value, low, high, items }] of Object.entries(report.figures)) {
      t.ok(low <= value && value <= high, `${name}: ${low} ${value} ${high}`)
      if (/_(hnsw|exact)\./.test(name)) continue
      t.equal(items, name.startsWith('text') ? 300 : 150)
      const values = perItem[name].toSorted()
      const middle = values.length / 2
      const expected = name.endsWith('median_rank')
        ? (values[middle - 1] + values[middle]) / 2
        : values.reduce((a, b) => a + b) / values.length
      t.ok(Math.abs(value - expected) < 1e-12, name)
    }
    t.ok(
      report.figures['text_to_image.recall@1'].value > 0.3 &&
        report.figures['text_to_image.recall@1'].value < 0.95
    )
    t.same(
      clusters!['text_to_image.map'],
      Uint32Array.from({ length: 300 }, (_, caption) => Math.floor(caption / 2))
    )
    const [{ curves }] = report.plots!
    t.same(
      curves.map(({ name, points }) => [name, points.find(({ x }) => x === 5)!.y]),
      [
        ['text to image', report.figures['text_to_image.recall@5'].value],
        ['image to text', report.figures['image_to_text.recall@5'].value]
      ]
    )
  }
)

t.test('the graph: searched widely it finds what exact search finds, narrowly it loses some', async (t) => {
  const dataset = noisy({ images: 800, captionsEach: 1, noise: 0.6 })
  const wide = (await measure(dataset, { ...OPTIONS, hnsw: { m: 16, efConstruction: 200, efSearch: 800 } }))
    .report.figures
  t.equal(wide['text_to_image_hnsw.overlap@10'].value, 1)
  t.equal(wide['text_to_image_hnsw.recall@10'].value, wide['text_to_image.recall@10'].value)
  const narrow = (await measure(dataset, { ...OPTIONS, hnsw: { m: 2, efConstruction: 2, efSearch: 10 } }))
    .report.figures
  t.ok(
    narrow['text_to_image_hnsw.overlap@10'].value < 0.95,
    `${narrow['text_to_image_hnsw.overlap@10'].value}`
  )
  t.ok(narrow['text_to_image_hnsw.recall@10'].value < narrow['text_to_image.recall@10'].value)
})

t.test('of very many queries the exact recall beside that of the graph is of the same ones', async (t) => {
  const { figures, method } = (
    await measure(noisy({ images: 2300, captionsEach: 1, noise: 0.8 }), {
      ...OPTIONS,
      resamples: 20,
      hnsw: { m: 24, efConstruction: 200, efSearch: 1500 }
    })
  ).report
  for (const way of ['text_to_image', 'image_to_text']) {
    t.equal(figures[`${way}.recall@1`].items, 2300)
    for (const k of [1, 5, 10]) {
      const [found, exact] = [figures[`${way}_hnsw.recall@${k}`], figures[`${way}_exact.recall@${k}`]]
      t.match(
        exact,
        { items: 2000, value: found.value },
        `${way}, ${k}: nothing is lost, and nothing seems to be`
      )
    }
    t.not(figures[`${way}_exact.recall@1`].value, figures[`${way}.recall@1`].value)
  }
  t.match(method.at(-1), /2000 of 2300 and 2000 of 2300 captions and images drawn at random/)
})

t.test('where captions cannot be opened the images are closed', async (t) => {
  const folder = t.testdir()
  const { images } = noisy({ images: 4, captionsEach: 1, noise: 1 })
  const path = join(folder, 'images.npy')
  await writeNpy(path, images as Rows)
  const input = {
    images: { path },
    captions: { path: join(folder, 'none.npy') },
    pairs: { captions: Uint32Array.of(0), images: Uint32Array.of(0) },
    duplicates: { images: 0, captions: 0 }
  }
  await t.rejects(async () => retrievalTask.measure(input, OPTIONS), /none\.npy/)
  await writeFile(join(folder, 'texts.npy'), 'no numbers')
  t.throws(() => openEmbeddings(folder, { name: 'some' }), /texts\.npy/)
  const open = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
  )
  t.notOk(open.includes(path))
})

t.test('the worst queries of captions come with what was returned instead', async (t) => {
  const { images, captions } = noisy({ images: 40, captionsEach: 1, noise: 1.5 })
  const ids = Array.from({ length: 40 }, (_, i) => i)
  const pairs = { captions: Uint32Array.from(ids), images: Uint32Array.from(ids) }
  const { report, perItem } = await retrievalTask.measure(
    {
      images,
      captions,
      pairs,
      duplicates: { images: 0, captions: 0 },
      imageIds: ids.map((i) => `${i}.png`),
      captionTexts: ids.map((i) => `text ${i}`)
    },
    OPTIONS
  )
  const [{ queries }] = report.worst!
  t.equal(queries.length, 12)
  const ranks = perItem['text_to_image.median_rank']
  t.same(
    queries.map(({ rank }) => rank),
    [...ranks].sort((a, b) => b - a).slice(0, 12)
  )
  for (const { query, expected, returned, rank } of queries) {
    t.same(expected, [{ image: `${(query as { text: string }).text.split(' ')[1]}.png` }])
    t.equal(returned.length, 5)
    t.same(
      returned.map(({ score }) => score),
      returned.map(({ score }) => score).sort((a, b) => b - a)
    )
    const at = returned.findIndex(
      ({ shown }) => 'image' in shown && shown.image === (expected[0] as { image: string }).image
    )
    t.equal(at + 1, rank <= 5 ? rank : 0)
  }
})
