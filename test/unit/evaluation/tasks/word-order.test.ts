import t from 'tap'
import type { LoadedDataset } from '../../../../src/evaluation/datasets/dataset.js'
import { SHUFFLES, shuffleWords, wordOrderTask } from '../../../../src/evaluation/tasks/word-order.js'
import { few, handMade, image, valuesOf } from '../../../fixtures/hand-made.js'

t.test('captions are shuffled in each way as its name says', async (t) => {
  const captions = [
    'one two three four five six seven eight nine.',
    'again again again',
    'word',
    'a b',
    'Is it?'
  ]
  for (const way of SHUFFLES) {
    const orders = shuffleWords(captions, way, 3)
    t.same(orders, shuffleWords(captions, way, 3), 'the same for the same seed')
    t.match(orders[0], /nine?.*\.$|\.$/, 'the full stop stays at the end')
    t.same(
      orders[0]!.slice(0, -1).split(' ').sort(),
      captions[0].slice(0, -1).split(' ').sort(),
      `${way}: the same words`
    )
    t.not(orders[0], captions[0])
    t.same(orders.slice(1, 3), [undefined, undefined], 'what has no other order is left out')
  }
  t.equal(shuffleWords(captions, 'adjacent', 0)[0], 'two one four three six five eight seven nine.')
  t.equal(shuffleWords(captions, 'words', 0)[3], 'b a')
  t.equal(shuffleWords(captions, 'words', 0)[4], 'it Is?')
  t.equal(shuffleWords(captions, 'trigrams', 0)[3], undefined, 'one run of three is all there is')
  const trigrams = shuffleWords(captions, 'trigrams', 5)[0]!
  for (const run of ['one two three', 'four five six', 'seven eight nine']) t.match(trigrams, run)
  const within = shuffleWords(captions, 'within_trigrams', 5)[0]!.slice(0, -1).split(' ')
  t.same(within.slice(3, 6).sort(), ['five', 'four', 'six'])
})

const captions = [
  'red square above blue circle',
  'blue circle above red square',
  'star',
  'green star beside a tree'
]
const dataset: LoadedDataset = {
  name: 'captions',
  format: 'coco',
  kind: 'captions',
  faults: [],
  items: captions.map((caption, i) => ({ id: `${i}`, image: image(caption), captions: [caption] }))
}
const words = [...new Set(captions.flatMap((caption) => caption.split(' ')))]
const bag = (text: string) =>
  words.map((word) => text.split(' ').filter((other) => other === word).length / 3)
/** The same with where each word stands. */
const sequence = (text: string) => [
  ...bag(text),
  ...words.map((word) => (text.split(' ').indexOf(word) + 1) / 3)
]

async function probe(tower: (text: string) => number[], of = dataset) {
  const { report, perItem, clusters } = await wordOrderTask.measure(
    await wordOrderTask.prepare(of, { embedder: handMade({ image: tower, text: tower }), options: few }),
    few
  )
  return { report, perItem, clusters, values: valuesOf(report) }
}

t.test('a model that reads a bag of words loses nothing, and prefers no order', async (t) => {
  const { report, values } = await probe(bag)
  t.match(values, {
    'word_order.drop': 0,
    'word_order.preference': 0.5,
    'word_order.recall@1_drop': 0,
    'word_order[adjacent].preference': 0.5,
    'word_order[within_trigrams].recall@5_drop': 0
  })
  t.match(report.figures['word_order.preference'], { chance: 0.5, items: 3 })
  t.same(values['word_order.recall@1'], 2 / 3, 'two images have the same words: they tie')
  const shuffled = (report.details?.shuffled as Record<string, [string, string][]>).words
  t.same(
    shuffled.map(([caption]) => caption),
    captions.filter((caption) => caption !== 'star'),
    'one word is left out'
  )
  for (const [before, after] of shuffled) t.not(before, after)
})

t.test('a model that reads the order prefers the true one, always', async (t) => {
  const unit = (text: string) => {
    const row = sequence(text)
    const norm = Math.hypot(...row)
    return row.map((value) => value / norm)
  }
  const { values } = await probe(unit)
  for (const group of [
    'word_order',
    ...['adjacent', 'trigrams', 'within_trigrams'].map((way) => `word_order[${way}]`)
  ]) {
    t.equal(values[`${group}.preference`], 1, group)
    t.ok(values[`${group}.drop`] > 0.01)
  }
})

t.test(
  'captions that are true of several images count for each; images with several captions are drawn whole',
  async (t) => {
    const shared: LoadedDataset = {
      ...dataset,
      kind: 'captions',
      items: [
        { id: '0', image: image('a b'), captions: ['a b', 'b c'] },
        { id: '1', image: image('b a'), captions: ['a b'] }
      ]
    }
    const { clusters, report } = await probe(
      (text) => [Number(text === 'a b'), Number(text === 'b a'), Number(text === 'b c')],
      shared
    )
    t.match(report.figures['word_order.drop'], { items: 2, value: 0 })
    t.match(clusters?.['word_order.drop'], Uint32Array.of(0, 0))
    t.match(
      report.figures['word_order.recall@1'].chance,
      0.75,
      'one caption has both images, the other one of two'
    )
  }
)

t.test('where nothing can be shuffled, that is said', async (t) => {
  const { report } = await probe(bag, {
    ...dataset,
    kind: 'captions',
    items: [{ id: '0', image: image('star'), captions: ['star'] }]
  })
  t.same(report.figures, {})
  t.match(report.flags, [{ code: 'NOTHING_TO_SHUFFLE' }])
})
