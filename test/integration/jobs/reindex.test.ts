import t from 'tap'
import { openStore } from '../../../src/collections/open-store.js'
import { WorkerDied, WorkersDown } from '../../../src/errors.js'
import { reindex } from '../../../src/jobs/reindex.js'
import { randomVector, settings } from '../../fixtures/collections.js'
import { miniEncoder } from '../../fixtures/mini.js'

t.test('a re-index gets over threads that die and come again', async (t) => {
  const encoder = await miniEncoder(t)
  const {
    model: { name: model, fingerprint },
    dimension
  } = encoder
  const store = await openStore({ dataDir: t.testdir() })
  const { collections } = store
  t.teardown(() => store.close())
  const { collection } = await collections.create('things', () => settings('things', { dimension }))
  await collection.upsert(
    Array.from({ length: 70 }, (_, n) => ({
      id: `r${n}`,
      text: `thing number ${n}`,
      embeddings: { text: randomVector(dimension) }
    }))
  )
  const replacement = await collections.replacement('things', { model, fingerprint, dimension })
  // Each step meets a thread that dies, once.
  const faults = {
    compare: new WorkerDied(),
    copy: new WorkersDown('writer'),
    removeExtra: new WorkerDied(),
    count: new WorkersDown('searcher')
  }
  const met: string[] = []
  const onceFaulty =
    <A extends unknown[], R>(step: keyof typeof faults, work: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      if (!met.includes(step)) {
        met.push(step)
        throw faults[step]
      }
      return work(...args)
    }
  const { compare, copy, removeExtra, count } = replacement
  const faulty = {
    ...replacement,
    compare: onceFaulty('compare', compare),
    copy: onceFaulty('copy', copy),
    removeExtra: onceFaulty('removeExtra', removeExtra),
    count: onceFaulty('count', count)
  }
  const progress: number[] = []
  await reindex({
    collection,
    images: store.images,
    replacement: faulty,
    encoder,
    skipMissing: false,
    signal: new AbortController().signal,
    onProgress: ({ done }) => progress.push(done),
    onUnencodable: (record) => t.fail(record.reason)
  })
  t.same(met.sort(), Object.keys(faults).sort())
  t.equal(progress.at(-1), 70)
  const after = await collections.get('things')
  t.match(after.settings, { model, fingerprint })
  t.match(await after.counts(), { records: 70, texts: 70 })
  const { matches } = await after.search(await encoder.encodeText('thing number 7'), {
    target: 'text',
    limit: 1
  })
  t.match(matches, [{ record: { id: 'r7' } }])
})
