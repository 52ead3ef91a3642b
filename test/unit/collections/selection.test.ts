import t from 'tap'
import { packSelection, selected } from '../../../src/collections/selection.js'

t.test('records that were selected come some at a time, from one piece of memory', async (t) => {
  const versions = ['a', 'é', '1f355', 'a b', '🍕'].map((id, i) => ({ id, updatedAt: 1_700_000_000_000 + i }))
  const { selection, memory } = packSelection(versions)
  t.equal(selection.ids.buffer, memory)
  t.equal(selection.updatedAt.buffer, memory)
  for (const count of [1, 2, 5, 9]) {
    const batches = [...selected(selection, count)]
    t.equal(batches.length, Math.ceil(5 / count))
    t.ok(batches.every(({ ids, updatedAt }) => ids.length === updatedAt.length && ids.length <= count))
    t.same(
      batches.flatMap(({ ids, updatedAt }) => ids.map((id, i) => ({ id, updatedAt: updatedAt[i] }))),
      versions
    )
  }
  t.same([...selected(packSelection([]).selection, 3)], [])
})
