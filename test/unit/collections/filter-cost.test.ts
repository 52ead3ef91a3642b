import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import t from 'tap'
import { CollectionIndex } from '../../../src/collections/collection-index.js'
import { parseFilter } from '../../../src/collections/filter.js'
import { MetadataColumns } from '../../../src/collections/metadata-columns.js'
import type { RowSet } from '../../../src/collections/row-set.js'
import { DEFAULT_HNSW } from '../../../src/collections/record.js'

const seeded = (seed: number) => {
  const random = xoroshiro128plus(seed)
  return (most: number) => uniformInt(random, 0, most)
}
const listed = (rows: RowSet) => {
  const found: number[] = []
  rows.forEach((row) => found.push(row))
  return found
}
/** Conditions on every record, so many that they are evaluated in several steps. */
const costly = (conditions: number) =>
  parseFilter({
    $and: Array.from({ length: conditions }, (_, i) => ({ n: { $not: { $gt: 500 + i, $lt: 501 + i } } }))
  })

t.test('rows found in steps are those found at once', async (t) => {
  const next = seeded(1)
  const columns = new MetadataColumns()
  for (let row = 0; row < 3001; row++) {
    columns.set(
      row,
      next(9) === 0 ? {} : { n: next(1000), tags: Array.from({ length: next(4) }, () => next(20)) }
    )
  }
  const filters = [
    costly(100),
    parseFilter({ $or: [{ tags: { $in: [1, 2] } }, { n: { $gte: 900 } }, { n: null }] }),
    parseFilter({ $nor: [{ tags: { $exists: true } }, { n: { $lt: 100 } }] }),
    parseFilter({})
  ]
  const bad = []
  for (const [i, filter] of filters.entries()) {
    const work = columns.rowsInSteps(filter)
    let step = work.next()
    for (; !step.done; step = work.next());
    if (JSON.stringify(listed(step.value)) !== JSON.stringify(listed(columns.rows(filter)))) bad.push(i)
  }
  t.same(bad, [])
})

t.test('records that are written between the steps pass as they are at the end', async (t) => {
  const next = seeded(2)
  const columns = new MetadataColumns()
  for (let row = 0; row < 5000; row++) columns.set(row, { n: next(1000) })
  const filter = costly(200)
  const work = columns.rowsInSteps(filter)
  let [step, steps] = [work.next(), 0]
  for (; !step.done; step = work.next()) {
    for (let i = 0; i < 5; i++)
      columns.set(next(5000 + steps), { n: next(1) === 0 ? 500 + next(199) : next(400) })
    columns.remove(next(4999))
    steps++
  }
  t.ok(steps > 10, `${steps} steps`)
  t.same(listed(step.value), listed(columns.rows(filter)))
})

t.test('a filter that would take seconds is rejected with its cost', async (t) => {
  const index = new CollectionIndex({ dimension: 2, hnsw: DEFAULT_HNSW })
  const list = Array.from({ length: 1000 }, (_, i) => i)
  for (let key = 0; key < 200; key++) index.put(key, { n: list })
  t.throws(() => [...index.prepare(costly(240))], {
    code: 'FILTER_INVALID',
    message: /compare 96000000 metadata values .* at most 50000000.*\$in/
  })
  t.doesNotThrow(() => [...index.prepare(costly(50))])
})

t.test('a costly filter is evaluated in steps, a cheap one at once', async (t) => {
  const index = new CollectionIndex({ dimension: 2, hnsw: DEFAULT_HNSW })
  for (let key = 0; key < 5000; key++) index.put(key, { n: key % 1000 })
  t.ok([...index.prepare(costly(240))].length > 50)
  t.equal([...index.prepare(costly(240))].length, 0, 'its rows are kept')
  t.equal([...index.prepare(costly(2))].length, 0)
})
