import { createHash } from 'node:crypto'
import t from 'tap'
import type { LoadedDataset } from '../../../../src/evaluation/datasets/dataset.js'
import { random } from '../../../../src/evaluation/statistics/statistics.js'
import { blindTask, leaksOf } from '../../../../src/evaluation/tasks/blind.js'
import { foldsByGroup, swapImages } from '../../../../src/evaluation/tasks/blinded.js'
import { few, handMade, image, rows, valuesOf } from '../../../fixtures/hand-made.js'

async function blind(dataset: LoadedDataset, embedder: Parameters<typeof handMade>[0], seed = 0) {
  const options = { ...few, seed }
  const { report } = await blindTask.measure(
    await blindTask.prepare(dataset, { embedder: handMade(embedder), options }),
    options
  )
  return {
    report,
    values: valuesOf(report),
    leaks: report.flags.filter(({ code }) => code === 'DATASET_LEAKS')
  }
}

/** A unit vector that a text or an id always has, without meaning. */
function noise(name: string, dimension = 16): number[] {
  const { uniform } = random(createHash('sha256').update(name).digest().readInt32LE())
  const row = Array.from({ length: dimension }, () => uniform() + uniform() - 1)
  const norm = Math.hypot(...row)
  return row.map((value) => value / norm)
}

t.test('a single item has no other to be swapped with', async (t) => {
  const towers = { image: (id: string) => noise(id), text: (text: string) => noise(text) }
  const item = { id: 'a', image: image('a'), captions: ['one', 'two'] }
  const { report, values } = await blind(
    { name: 'alone', format: 'coco', kind: 'captions', faults: [], items: [item] },
    towers
  )
  t.same(
    Object.keys(values).filter((name) => name.includes('swapped')),
    []
  )
  t.ok(Object.keys(values).some((name) => name.includes('constant')))
  t.match(report, { flags: [{ level: 'note', code: 'SWAPPED_LEFT_OUT' }], details: { swapped: [] } })
  const two = await blind(
    {
      name: 'two',
      format: 'coco',
      kind: 'captions',
      faults: [],
      items: [item, { ...item, id: 'b', image: image('b') }]
    },
    towers
  )
  t.match(two.report.details, {
    swapped: [
      ['a', 'b'],
      ['b', 'a']
    ]
  })
  t.same(two.report.flags, [])
})

t.test('images are swapped so that none is where it was, nor in the place of a duplicate', async (t) => {
  for (let seed = 0; seed < 50; seed++) {
    const images = rows([1, 0], [1, 0], [1, 0], [0, 1], [0.6, 0.8], [0.8, 0.6])
    const other = swapImages(images, seed)
    t.same([...other].sort(), [0, 1, 2, 3, 4, 5])
    t.ok(
      other.every((from, i) => from !== i && !(from < 3 && i < 3)),
      `${other}`
    )
  }
  t.same([...swapImages(rows([1, 0]), 0)], [0], 'one image alone stays')
  const swapped = swapImages(rows([1, 0], [0, 1], [1, 0], [0.6, 0.8]), 0, 2)
  t.same([...swapped], [1, 0], 'pairs are swapped whole')
})

t.test('classes: the commonest label, and a warning where it does as well as the model', async (t) => {
  const classes = (labels: string[]): LoadedDataset => ({
    name: 'letters',
    format: 'classes',
    kind: 'classes',
    faults: [],
    items: labels.map((label, i) => ({ id: `${i}`, image: image(`${label}${i}`), label }))
  })
  const sees = {
    image: ([letter]: string) => (letter === 'a' ? [1, 0] : [0, 1]),
    text: (text: string) => (text === 'a' ? [1, 0] : [0, 1])
  }
  const uneven = await blind(classes([...Array(45).fill('a'), ...Array(5).fill('b')]), sees)
  t.match(uneven.values, { 'blind[sighted].top1': 1, 'blind[majority].top1': 0.9, 'blind[prior].top1': 0.9 })
  t.match(uneven.leaks, [
    { level: 'warning', message: /the answer 'a' for every image|the mean of all other images/ }
  ])
  t.match(uneven.leaks[0].message, /90\.0 %/)
  const even = await blind(classes([...Array(25).fill('a'), ...Array(25).fill('b')]), sees)
  t.match(even.values, { 'blind[sighted].top1': 1, 'blind[majority].top1': 0.5 })
  t.same(even.leaks, [])
})

t.test('a classifier of what is written with images finds labels that need no image', async (t) => {
  const classes = (texts: (i: number) => string): LoadedDataset => ({
    name: 'memes',
    format: 'imagefolder',
    kind: 'classes',
    faults: [],
    items: Array.from({ length: 60 }, (_, i) => ({
      id: `${i}`,
      image: image(`${i}`),
      label: i % 2 ? 'kind' : 'unkind',
      text: texts(i)
    }))
  })
  const towers = {
    image: (id: string) => noise(id),
    text: (text: string) => noise(text).map((value, d) => value + Number(d === 0 && text.startsWith('never')))
  }
  const told = await blind(
    classes((i) => `${i % 2 ? 'always' : 'never'} ${i}`),
    towers
  )
  t.ok(told.values['blind[text_only].top1'] > 0.9)
  t.match(told.leaks, [{ message: /a classifier of what is written with the images/ }])
  const silent = await blind(
    classes((i) => `some ${i}`),
    towers
  )
  t.ok(silent.values['blind[text_only].top1'] < 0.75)
  t.same(silent.leaks, [])
  const sameTexts = await blind(
    classes((i) => `meme ${i >> 1}`),
    towers
  )
  t.ok(
    Math.abs(sameTexts.values['blind[text_only].top1'] - 0.5) < 0.01,
    'a text with both labels is held out with both'
  )
})

const choices = (count: number, negative: (i: number) => string): LoadedDataset => ({
  name: 'choices',
  format: 'choices',
  kind: 'choices',
  faults: [],
  items: Array.from({ length: count }, (_, i) => ({
    id: `${i}`,
    image: image(`${i}`),
    caption: `true ${i}`,
    negatives: [negative(i)]
  }))
})
/** Sees the right caption nearly always; wrong ones have a mark in them where they begin with "odd". */
const towers = {
  image: (id: string, corruption?: unknown) => [...noise(corruption ? 'constant' : `true ${id}`), 0],
  text: (text: string) => [...noise(text), text.startsWith('odd') ? 0.5 : 0]
}

t.test('choices whose negatives are of another kind leak; those of the same kind do not', async (t) => {
  const leaking = await blind(
    choices(60, (i) => `odd ${i}`),
    towers
  )
  t.ok(leaking.values['blind[caption_only].accuracy'] > 0.9)
  t.equal(leaking.values['blind[sighted].accuracy'], 1)
  t.match(leaking.leaks, [{ message: /a classifier of the captions alone reaches/ }])
  const honest = await blind(
    choices(60, (i) => `false ${i}`),
    towers
  )
  t.equal(honest.values['blind[sighted].accuracy'], 1)
  t.same(honest.leaks, [])
})

t.test('captions that are true here and false there are held out together', async (t) => {
  const { values } = await blind(
    choices(60, (i) => `true ${i ^ 1}`),
    towers
  )
  t.ok(
    Math.abs(values['blind[caption_only].accuracy'] - 0.5) < 1e-9,
    'what is learnt elsewhere prefers one of the two, and is right once'
  )
  const { report, values: none } = await blind(
    choices(60, (i) => `true ${(i + 1) % 60}`),
    towers
  )
  t.notOk('blind[caption_only].accuracy' in none, 'all hang together: nothing can be held out')
  t.match(report.method.join(' '), /was not trained/)
  t.equal(foldsByGroup([['x'], ['x'], ['x']], 0), undefined)
  const folds = foldsByGroup(
    Array.from({ length: 100 }, (_, i) => [`${i >> 1}`]),
    0
  )!
  for (let i = 0; i < 100; i += 2) t.equal(folds[i], folds[i + 1])
  t.same(
    [0, 1, 2, 3, 4].map((fold) => folds.filter((own) => own === fold).length),
    [20, 20, 20, 20, 20]
  )
})

t.test('honest datasets of few items are hardly ever flagged', async (t) => {
  const model = { items: 30, sets: 100 }
  let flagged = 0
  for (let seed = 0; seed < model.sets; seed++) {
    const { uniform } = random(seed)
    // Four blind runs that guess between two, beside a model that is right in 6 of 10.
    const guesses = (part: number) =>
      Float64Array.from({ length: model.items }, () => Number(uniform() < part))
    const runs = ['swapped', 'constant', 'prior', 'caption_only'].map((name) => ({
      name,
      what: name,
      values: { accuracy: guesses(0.5) }
    }))
    flagged += leaksOf(
      { sighted: { accuracy: { values: guesses(0.6), chance: 0.5 } }, runs, method: [], swapped: [] },
      { ...few, seed }
    ).length
  }
  t.ok(flagged <= 0.05 * model.sets, `${flagged} of ${model.sets}`)
})

t.test(
  'captions: constant images are at chance, and a caption that is true of most images leaks',
  async (t) => {
    const captions = (of: (i: number) => string[]): LoadedDataset => ({
      name: 'captions',
      format: 'coco',
      kind: 'captions',
      faults: [],
      items: Array.from({ length: 40 }, (_, i) => ({ id: `${i}`, image: image(`${i}`), captions: of(i) }))
    })
    const { values, report, leaks } = await blind(
      captions((i) => [`true ${i}`]),
      towers
    )
    t.match(values, {
      'blind[sighted].text_to_image_recall@1': 1,
      'blind[sighted].image_to_text_recall@1': 1
    })
    t.ok(Math.abs(values['blind[constant].text_to_image_recall@5'] - 5 / 40) < 1e-9)
    t.ok(Math.abs(report.figures['blind[sighted].text_to_image_recall@5'].chance! - 5 / 40) < 1e-9)
    t.same(leaks, [])
    const same = await blind(
      captions((i) => (i < 30 ? [`true ${i}`, 'a photo'] : [`true ${i}`])),
      towers
    )
    t.equal(same.values['blind[frequency].image_to_text_recall@1'], 0.75)
    t.match(same.leaks, [{ message: /the captions of most other images/ }])
  }
)
