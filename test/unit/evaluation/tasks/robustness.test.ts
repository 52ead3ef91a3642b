import t from 'tap'
import type { LoadedDataset } from '../../../../src/evaluation/datasets/dataset.js'
import type { Corruption } from '../../../../src/evaluation/embedding/embedder.js'
import { CORRUPTIONS, robustnessTask } from '../../../../src/evaluation/tasks/robustness.js'
import { few, handMade, image, valuesOf } from '../../../fixtures/hand-made.js'

const letters = ['a', 'b', 'c', 'd']
const oneHot = (letter: string) => letters.map((other) => Number(other === letter))
const classes: LoadedDataset = {
  name: 'letters',
  format: 'classes',
  kind: 'classes',
  faults: [],
  items: letters.map((label) => ({ id: label, image: image(label), label }))
}
const captions: LoadedDataset = {
  name: 'letters',
  format: 'coco',
  kind: 'captions',
  faults: [],
  items: letters.map((letter) => ({ id: letter, image: image(letter), captions: [letter] }))
}

async function robustness(dataset: LoadedDataset, tower: (id: string, corruption?: Corruption) => number[]) {
  const embedder = handMade({ image: tower as Parameters<typeof handMade>[0]['image'], text: oneHot })
  const { report, perItem } = await robustnessTask.measure(
    await robustnessTask.prepare(dataset, { embedder, options: few }),
    few
  )
  return { report, perItem, values: valuesOf(report) }
}

t.test(
  'a model that no corruption touches, one that is blind without colours, and one that takes strong ' +
    'JPEG for b',
  async (t) => {
    const steps = CORRUPTIONS.flatMap(({ steps }) => steps.map(({ name }) => name))
    t.equal(steps.length, 12)
    const sturdy = await robustness(classes, oneHot)
    for (const step of steps)
      t.match(
        sturdy.values,
        {
          [`robustness[${step}].top1`]: 1,
          [`robustness[${step}].top1_drop`]: 0,
          [`robustness[${step}].cosine`]: 1
        },
        step
      )

    const colour = await robustness(classes, (id, corruption) =>
      corruption?.kind === 'grey' ? [1, 1, 1, 1] : oneHot(id)
    )
    t.match(colour.values, {
      'robustness[clean].top1': 1,
      'robustness[grey].top1': 0.25,
      'robustness[grey].top1_drop': 0.75,
      'robustness[rotation 30].top1_drop': 0
    })

    const jpeg = await robustness(captions, (id, corruption) =>
      corruption?.kind === 'jpeg' && corruption.quality <= 25 ? oneHot('b') : oneHot(id)
    )
    t.match(jpeg.values, {
      'robustness[jpeg 50].text_to_image_recall@1_drop': 0,
      'robustness[jpeg 25].image_to_text_recall@1': 0.25,
      'robustness[jpeg 25].image_to_text_recall@1_drop': 0.75,
      'robustness[jpeg 10].cosine': 0.25
    })
    t.equal(
      jpeg.values['robustness[jpeg 10].text_to_image_recall@1'],
      0.25 / 1,
      'all images are alike: one of four'
    )
    t.same([...jpeg.perItem['robustness[jpeg 10].image_to_text_recall@1_drop']], [1, 0, 1, 1])
    const plot = jpeg.report.plots?.find(({ title }) => title === 'JPEG')
    t.same(
      plot?.curves.map(({ name }) => name),
      ['text_to_image_recall@1', 'image_to_text_recall@1', 'text_to_image_recall@5', 'image_to_text_recall@5']
    )
    t.match(
      plot?.curves[1].points.map(({ x, y }) => [x, y]),
      [
        [10, 0.25],
        [25, 0.25],
        [50, 1],
        [75, 1],
        [100, 1]
      ]
    )
  }
)
