import t from 'tap'
import { bestBatchSize, describeRuns, tuneWorkers } from '../../../src/encoder/tuning.js'
import { miniEncoder } from '../../fixtures/mini.js'

t.test('batches grow while they gain', async (t) => {
  t.equal(
    bestBatchSize([
      { size: 1, ms: 10 },
      { size: 2, ms: 20 }
    ]),
    1,
    'a light tower gains nothing'
  )
  t.equal(
    bestBatchSize([
      { size: 1, ms: 77 },
      { size: 2, ms: 130 },
      { size: 4, ms: 240 },
      { size: 8, ms: 475 }
    ]),
    4,
    'a heavy one gains, and then no more'
  )
  t.equal(
    describeRuns([
      { size: 1, ms: 10 },
      { size: 2, ms: 25 }
    ]),
    'measured: 1 at 100.0/s, 2 at 80.0/s'
  )
})

t.test('workers are chosen for the cores, and say why', async (t) => {
  const of = (given: Partial<Parameters<typeof tuneWorkers>[0]>, cores: number, onCpu = true) => {
    const { workers, expressThreads } = tuneWorkers(
      { workers: 0, ortThreads: 1, express: true, ...given },
      { cores, onCpu }
    )
    return [workers, expressThreads]
  }
  t.same(of({}, 2), [2, 2])
  t.same(of({}, 1), [1, 0], 'one core has one way')
  t.same(of({}, 16), [16, 8])
  t.same(of({ ortThreads: 4 }, 16), [4, 8])
  t.same(of({ ortThreads: 4 }, 2), [1, 2])
  t.same(of({ workers: 3 }, 2), [3, 2])
  t.same(of({ express: false }, 4), [4, 0])
  t.same(of({}, 16, false), [1, 0], 'a device has one')
  const { tuning } = tuneWorkers({ workers: 3, ortThreads: 1, express: true }, { cores: 2, onCpu: true })
  t.match(tuning, [{ setting: 'workers', value: 3, reason: 'as set' }, {}, {}])
})

t.test('batches of a real tower are measured, unless they are set', async (t) => {
  const measured = await miniEncoder(t, { imageBatchSize: 0, textBatchSize: 0 })
  const [image, text] = measured.tuning.slice(-2)
  t.match(image, { setting: 'images in a batch', reason: /^measured: 1 at [\d.]+\/s/ })
  t.match(text, { setting: 'texts in a batch', reason: /^measured: 8 at [\d.]+\/s/ })
  t.ok([1, 2, 4, 8].includes(image.value) && [8, 16, 32, 64].includes(text.value))
  const set = await miniEncoder(t, { imageBatchSize: 3, textBatchSize: 5 })
  t.match(set.tuning.slice(-2), [
    { value: 3, reason: 'as set' },
    { value: 5, reason: 'as set' }
  ])
})
