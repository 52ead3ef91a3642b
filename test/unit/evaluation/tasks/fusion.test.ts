import t from 'tap'
import type { LoadedDataset } from '../../../../src/evaluation/datasets/dataset.js'
import { heldWhere } from '../../../../src/evaluation/tasks/fusion-ranks.js'
import { fusionTask } from '../../../../src/evaluation/tasks/fusion.js'
import { few, handMade, image, valuesOf } from '../../../fixtures/hand-made.js'

const LETTERS = [...'abcdefghijklmnop']
const METHODS = ['weighted', 'weighted z-score', 'rrf', 'joint']
type Towers = Parameters<typeof handMade>[0]

/** Records `a` to `p`: of each letter an image, and the captions a1, a2, a3. */
const items = LETTERS.map((letter) => ({
  id: letter,
  image: image(letter),
  captions: [1, 2, 3].map((n) => `${letter}${n}`)
}))
const dataset: LoadedDataset = { name: 'letters', format: 'coco', kind: 'captions', faults: [], items }
const axis = (n: number) => LETTERS.map((_, d) => (d === n ? 1 : 0))
const own = (name: string) => axis(LETTERS.indexOf(name[0]))
/** The same embedding whatever it is of. */
const blank = () => axis(0)

async function measured(towers: Towers, of = dataset) {
  const result = await fusionTask.measure(
    await fusionTask.prepare(of, { embedder: handMade(towers), options: few }),
    few
  )
  return { ...result, values: valuesOf(result.report) }
}

t.test('of towers that know all, each fusion finds all, also those that lack one modality', async (t) => {
  const { values, report, perItem, clusters } = await measured({ image: own, text: own })
  for (const method of METHODS)
    for (const group of [`fusion[${method}]`, `fusion[${method}, 60 % missing]`])
      t.equal(values[`${group}.recall@1`], 1, group)
  t.equal(values['fusion[image].mrr'], 1)
  t.equal(
    report.figures['fusion[joint].recall@1'].items,
    32,
    'the first caption is the text of the record, two are queries'
  )
  t.equal(report.figures['fusion[joint].recall@10'].chance, 10 / 16)
  t.equal(perItem['fusion[joint].recall@10'].length, 32)
  t.equal(new Set(clusters!['fusion[joint].recall@10']).size, 16, 'queries of one record are drawn together')
  t.equal(
    values['fusion[image, of text only, 30 % missing].recall@10'],
    0,
    'one modality alone finds none of those that lack it'
  )
  t.equal(report.flags.filter(({ code }) => code === 'best_fusion').length, 3)
  t.equal(report.plots!.length, 3)
  for (const { curves } of report.plots!)
    t.same(
      curves.map(({ name, points }) => [name, points.length]),
      METHODS.map((name) => [name, 11])
    )
})

t.test('of towers that know nothing, each fusion finds what chance does', async (t) => {
  const { report } = await measured({ image: blank, text: blank })
  const whole = Object.entries(report.figures).filter(([name]) => !name.includes('missing'))
  t.equal(whole.length, 24)
  for (const [name, { value, chance }] of whole)
    t.ok(Math.abs(value - chance!) < 1e-12, `${name} ${value} ${chance}`)
})

t.test('where images mislead, their weight costs', async (t) => {
  const { values, report } = await measured({
    image: (id) => axis((LETTERS.indexOf(id) + 1) % 16),
    text: own
  })
  t.equal(values['fusion[text].recall@1'], 1)
  t.equal(values['fusion[image].recall@1'], 0, 'each image looks like what another record is about')
  t.ok(values['fusion[weighted].mrr'] < 1)
  t.equal(report.plots![0].curves[0].points[0].y, 1, 'at the weight 0')
  t.match(report.flags[0].message, /text finds them best .*difference of 0\.\d+ \[/)
})

t.test('records lose modalities by the seed, and more of them lose what fewer do', async (t) => {
  const ids = Array.from({ length: 100 }, (_, i) => `${i}`)
  const [third, more] = [0.3, 0.6].map((part) => heldWhere(part, { ids, seed: 4 }))
  const lost = (column: Uint8Array) => [...column.keys()].filter((i) => column[i] === 0)
  t.equal(lost(third.image).length, 15)
  t.equal(lost(third.text).length, 15)
  t.same(
    lost(third.image).filter((i) => more.image[i] === 1),
    []
  )
  t.same(
    lost(more.image).filter((i) => more.text[i] === 0),
    [],
    'none loses both'
  )
  t.same(heldWhere(0.3, { ids, seed: 4 }), third)
  t.notSame(heldWhere(0.3, { ids, seed: 5 }), third)
  t.same(lost(heldWhere(0, { ids, seed: 4 }).image), [])
})

t.test('of very many records those that lack a modality are counted, not named', async (t) => {
  const many = Array.from({ length: 10_001 }, (_, i) => ({
    id: `${i}`,
    image: image(`a${i}`),
    captions: i < 2 ? ['a1', `${'ab'[i]}2`] : ['b1']
  }))
  const { report } = await measured({ image: own, text: own }, { ...dataset, items: many })
  t.same(report.details!.missing, {
    '0 %': { image: 0, text: 0 },
    '30 %': { image: 1500, text: 1500 },
    '60 %': { image: 3000, text: 3001 }
  })
  t.equal(report.figures['fusion[joint].recall@1'].items, 2)
})

t.test(
  'of more records and queries than can be compared some are drawn, and the report says so',
  async (t) => {
    const many = Array.from({ length: 50_020 }, (_, i) => ({
      id: `${i}`,
      image: image(`a${i}`),
      captions: i % 100 === 0 ? ['a1', 'a2'] : ['a1']
    }))
    const context = { embedder: handMade({ image: () => [1], text: () => [1] }), options: few }
    const input = await fusionTask.prepare({ ...dataset, items: many }, context)
    t.match(input, { ids: { length: 50_000 }, of: 50_020, targets: { length: 100 } })
    t.ok(input.available > 490)
    t.same(
      (await fusionTask.prepare({ ...dataset, items: many }, context)).targets,
      input.targets,
      'the same for a seed'
    )
    const { report } = await fusionTask.measure(
      {
        ...(await fusionTask.prepare(dataset, {
          embedder: handMade({ image: own, text: own }),
          options: few
        })),
        of: 99,
        available: 77
      },
      few
    )
    t.match(report, {
      details: { records: [16, 99], queries: [32, 77] },
      method: [/^16 of 99 records .* drawn by the seed; 32 of 77 other captions/]
    })
  }
)

t.test('what has no second caption is not asked for', async (t) => {
  const { report } = await measured(
    { image: own, text: own },
    { ...dataset, items: items.map((item) => ({ ...item, captions: [item.captions[0], item.captions[0]] })) }
  )
  t.same(report.figures, {})
  t.match(report.flags, [{ code: 'fusion_not_measured' }])
})
