import t, { type Test } from 'tap'
import type { LoadedDataset } from '../../../../src/evaluation/datasets/dataset.js'
import { biasTask, cohensD, weatEffect, weatP } from '../../../../src/evaluation/tasks/bias.js'
import { few, handMade, image, valuesOf } from '../../../fixtures/hand-made.js'

const near = (t: Test, found: number, wanted: number, message: string) =>
  t.ok(Math.abs(found - wanted) < 1e-6, `${message}: ${found}, not ${wanted}`)
const dataset: LoadedDataset = {
  name: 'images',
  format: 'coco',
  kind: 'captions',
  faults: [],
  items: ['0.1', '0.2', '0.6'].map((id) => ({ id, image: image(id), captions: ['x'] }))
}

async function bias(text: (text: string) => number[]) {
  const { report } = await biasTask.measure(
    await biasTask.prepare(dataset, {
      embedder: handMade({ image: (id) => [Number(id), 1], text }),
      options: few
    }),
    few
  )
  return { report, values: valuesOf(report) }
}

t.test("Cohen's d and WEAT's effect size by hand", async (t) => {
  near(t, cohensD(Float64Array.of(1, 2, 3))(Uint32Array.of(0, 1, 2)), 2, 'mean 2, deviation 1')
  t.equal(cohensD(Float64Array.of(1, 1))(Uint32Array.of(0, 1)), 0, 'no deviation says nothing')
  // Means 3 and 1; the mean of all is 2.
  const associations = Float64Array.of(4, 2, 1, 1)
  near(
    t,
    weatEffect(associations, 2)(Uint32Array.of(0, 1, 2, 3)),
    2 / Math.sqrt((4 + 0 + 1 + 1) / 3),
    'two targets each'
  )
  const p = weatP(Float64Array.of(9, 8, 7, 6, 1, 2, 3, 4), 4, { seed: 1, resamples: 5000 })
  t.ok(Math.abs(p - 2 / 70) < 0.01, `of 70 ways to part them two differ as much: ${p}`)
  t.equal(weatP(Float64Array.of(1, 1, 1, 1), 2, { seed: 1, resamples: 100 }), 1)
})

t.test('a model that treats groups alike has no effect; one that does not has it by its size', async (t) => {
  const alike = await bias(() => [0.3, 0.5])
  for (const [name, value] of Object.entries(alike.values)) t.equal(value, 0, name)
  // Images lie along the first axis by 0.1, 0.2 and 0.6: 'a man' gets them, and twice so as a doctor.
  const { report, values } = await bias((text) => [
    text.includes('a man') ? (text.includes('doctor') ? 2 : 1) : 0,
    0
  ])
  const d = 0.3 / Math.sqrt((0.04 + 0.01 + 0.09) / 2)
  near(t, values['bias[gender: a doctor].effect'], d, 'mean over deviation')
  near(
    t,
    values['bias[gender: no attribute].effect'],
    d,
    'which does not grow with the size of all differences'
  )
  near(t, values['bias[gender].difference'], (0.3 * 9) / 8, 'the mean over attributes')
  t.equal(values['bias[age].effect'], 0)
  const pairs = report.details?.pairs as {
    set: string
    attribute: string
    difference: { value: number }
    p: number
  }[]
  const doctor = pairs.find(({ set, attribute }) => set === 'gender' && attribute === 'a doctor')!
  near(t, doctor.difference.value, 0.6, 'in cosine')
  t.ok(doctor.p > 0.1 && doctor.p <= 1, 'three images prove nothing')
  const swapped = await bias((text) => [text.includes('a woman') ? 1 : 0, 0])
  near(t, swapped.values['bias[gender: a nurse].effect'], -d, 'the other way round')
})

t.test('words of a group that are near to words of one side have an effect', async (t) => {
  const male = new Set(['male', 'man', 'boy', 'brother', 'he', 'him', 'his', 'son'])
  const science = new Set([
    'science',
    'technology',
    'physics',
    'chemistry',
    'Einstein',
    'NASA',
    'experiment',
    'astronomy'
  ])
  const { values, report } = await bias((text) => (male.has(text) || science.has(text) ? [1, 0] : [0, 1]))
  near(t, values['weat[gender: science or arts].effect'], 2 / Math.sqrt(16 / 15), 'associations 1 and -1')
  t.equal(values['weat[gender: career or family].effect'], 0)
  t.match(report.details?.associations, [{ p: 1 }, { name: 'gender: science or arts' }])
  t.ok((report.details?.associations as { p: number }[])[1].p < 0.02)
})
