import t from 'tap'
import type { SampledRecord } from '../../../../src/collections/exports/sampled-records.js'
import type { CollectionSample } from '../../../../src/jobs/evaluation/collection-sample.js'
import { datasetsOf } from '../../../../src/jobs/evaluation/collection-sample.js'

t.test('a label that is too long is a fault of its record, which keeps its text', (t) => {
  const record = (id: string, label: string) =>
    ({ id, image: null, text: `text of ${id}`, label }) as unknown as SampledRecord
  const sample = {
    records: [record('a', 'x'.repeat(1000)), record('b', 'x'.repeat(1001))]
  } as CollectionSample
  t.match(datasetsOf(sample, { name: 'photos' }), [
    { kind: 'captions', items: [{ id: 'a' }, { id: 'b' }], faults: [] },
    {
      kind: 'classes',
      items: { length: 1, 0: { id: 'a' } },
      faults: [{ name: 'b', reason: 'The label has 1001 characters; at most 1000 are allowed.' }]
    }
  ])
  t.end()
})
