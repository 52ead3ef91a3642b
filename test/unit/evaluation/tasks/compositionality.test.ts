import t from 'tap'
import type { LoadedDataset } from '../../../../src/evaluation/datasets/dataset.js'
import { compositionalityTask, winogroundScores } from '../../../../src/evaluation/tasks/compositionality.js'
import { few, handMade, image, rows, valuesOf } from '../../../fixtures/hand-made.js'

async function measure(dataset: LoadedDataset, embedder: Parameters<typeof handMade>[0]) {
  const { report, perItem } = await compositionalityTask.measure(
    await compositionalityTask.prepare(dataset, { embedder: handMade(embedder), options: few }),
    few
  )
  return { report, perItem, values: valuesOf(report) }
}

t.test('text, image and group scores of one pair, from its four cosines', async (t) => {
  // Images are the axes, so that a caption's entries are its cosines with the first and the second image.
  const of = (first: number[], second: number[]) => {
    const { text, image, group } = winogroundScores(rows([1, 0], [0, 1]), rows(first, second))
    return [text[0], image[0], group[0]]
  }
  t.same(of([0.9, 0.1], [0.2, 0.8]), [1, 1, 1])
  t.same(of([0.9, 0.3], [0.2, 0.1]), [0, 0, 0], 'the first caption wins for both images')
  t.same(
    of([0.5, 0.7], [0.1, 0.9]),
    [1, 0, 0],
    'each image knows its caption; the first caption prefers the other image'
  )
  t.same(of([0.5, 0.1], [0.7, 0.9]), [0, 1, 0])
  t.same(of([0.5, 0.5], [0.5, 0.5]), [0, 0, 0], 'equal scores are no preference')
})

const pairs = (tags: string[]): LoadedDataset => ({
  name: 'pairs',
  format: 'winoground',
  kind: 'pairs',
  faults: [],
  items: tags.map((tag, i) => ({
    id: `${i}`,
    images: [image(`${i}a`), image(`${i}b`)],
    captions: [`${i}a`, `${i}b`],
    tag
  }))
})
const side = (name: string) => (name.endsWith('a') ? [1, 0] : [0, 1])

t.test('pairs by tag, with the chance levels of Thrush et al., and the worst as pictures', async (t) => {
  const tags = [...Array(5).fill('often'), 'once']
  // The last pair is seen the wrong way round.
  const { report, values, perItem } = await measure(pairs(tags), {
    image: (id) => (id.startsWith('5') ? side(id).reverse() : side(id)),
    text: side
  })
  t.match(values, {
    'winoground.text': 5 / 6,
    'winoground.image': 5 / 6,
    'winoground.group': 5 / 6,
    'winoground[often].group': 1
  })
  t.notOk('winoground[once].text' in values, 'a tag of one item is no measure')
  t.match(
    [
      report.figures['winoground.text'].chance,
      report.figures['winoground.image'].chance,
      report.figures['winoground.group'].chance
    ],
    [1 / 4, 1 / 4, 1 / 6]
  )
  t.same([...perItem['winoground.group']], [1, 1, 1, 1, 1, 0])
  t.match(report.worst, [
    {
      queries: [
        {
          query: { image: '5a' },
          expected: [{ text: '5a' }],
          returned: [
            { shown: { text: '5b' }, score: 1 },
            { shown: { text: '5a' }, score: 0 }
          ],
          rank: 2
        }
      ]
    },
    {
      queries: [
        {
          query: { text: '5a' },
          expected: [{ image: '5a' }],
          returned: [{ shown: { image: '5b' } }, { shown: { image: '5a' } }]
        }
      ]
    }
  ])
  t.equal(report.worst?.[0].queries.length, 1, 'one of a pair, and only where it is wrong')
})

t.test('scores of random embeddings are at chance', async (t) => {
  let seed = 1
  const noise = () => (seed = (seed * 48271) % 2147483647) / 2147483647 - 0.5
  const row = () => Array.from({ length: 16 }, noise)
  const { values } = await measure(pairs(Array(4000).fill('')), { image: row, text: row })
  t.ok(Math.abs(values['winoground.text'] - 1 / 4) < 0.03, `${values['winoground.text']}`)
  t.ok(Math.abs(values['winoground.image'] - 1 / 4) < 0.03)
  t.ok(Math.abs(values['winoground.group'] - 1 / 6) < 0.03)
})

t.test('hard negatives: all must score below the caption, and ties count as a random choice', async (t) => {
  const dataset: LoadedDataset = {
    name: 'choices',
    format: 'choices',
    kind: 'choices',
    faults: [],
    items: [
      { id: '0', image: image('x'), caption: '0.9', negatives: ['0.1'], tag: 'swap' },
      { id: '1', image: image('x'), caption: '0.5', negatives: ['0.5', '0.1', '0.5'], tag: 'swap' },
      { id: '2', image: image('y'), caption: '0.2', negatives: ['0.1', '0.7'] }
    ]
  }
  const { report, values, perItem } = await measure(dataset, {
    image: () => [1],
    text: (text) => [Number(text)]
  })
  t.same(
    Array.from(perItem['hard_negatives.accuracy'], (share) => share.toFixed(9)),
    ['1.000000000', '0.333333333', '0.000000000']
  )
  t.ok(Math.abs(values['hard_negatives.accuracy'] - 4 / 9) < 1e-12)
  t.ok(Math.abs(report.figures['hard_negatives.accuracy'].chance! - (1 / 2 + 1 / 4 + 1 / 3) / 3) < 1e-12)
  t.match(report.worst, [
    {
      queries: [
        {
          query: { image: 'y' },
          expected: [{ text: '0.2' }],
          returned: [{ shown: { text: '0.7' } }, { shown: { text: '0.2' } }, { shown: { text: '0.1' } }],
          rank: 2
        }
      ]
    }
  ])
})
