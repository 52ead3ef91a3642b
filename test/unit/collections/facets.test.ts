import t from 'tap'
import { countFacets, type Facets } from '../../../src/collections/facets.js'
import { MetadataColumns } from '../../../src/collections/metadata-columns.js'
import { RowSet } from '../../../src/collections/row-set.js'
import { uniform } from '../../fixtures/random.js'

function runToEnd(work: Generator<void, Facets>): Facets {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

function columnsOf(records: (Record<string, unknown> | null)[]): MetadataColumns {
  const columns = new MetadataColumns()
  records.forEach((metadata, row) => columns.set(row, metadata))
  return columns
}

const facetsOf = (
  records: (Record<string, unknown> | null)[],
  options: { rows?: RowSet; limit?: number } = {}
) => runToEnd(countFacets(columnsOf(records), { limit: 20, ...options }))
const byField = ({ fields }: Facets) =>
  Object.fromEntries(fields.map(({ field, ...facet }) => [field, facet]))

t.test('types, counts and ranges', async (t) => {
  const facets = facetsOf([
    {
      colour: 'red',
      size: 3,
      sold: true,
      made: '2024-02-01',
      tags: ['a', 'b', 'a'],
      nested: { deep: 1 },
      mix: 1,
      note: null
    },
    {
      colour: 'blue',
      size: -1.5,
      sold: false,
      made: '2023-12-24T18:00:00Z',
      tags: ['b'],
      nested: { deep: 1, list: [{ of: 'x' }] },
      mix: 'one'
    },
    { colour: 'red', size: 3, made: '2024-02-01', tags: [], mix: null },
    null
  ])
  t.same(byField(facets), {
    colour: {
      type: 'string',
      records: 3,
      values: [
        { value: 'red', records: 2 },
        { value: 'blue', records: 1 }
      ],
      distinct: 2
    },
    size: {
      type: 'number',
      records: 3,
      values: [
        { value: 3, records: 2 },
        { value: -1.5, records: 1 }
      ],
      distinct: 2,
      min: -1.5,
      max: 3
    },
    sold: {
      type: 'boolean',
      records: 2,
      values: [
        { value: false, records: 1 },
        { value: true, records: 1 }
      ],
      distinct: 2
    },
    made: {
      type: 'string',
      records: 3,
      values: [
        { value: '2024-02-01', records: 2 },
        { value: '2023-12-24T18:00:00Z', records: 1 }
      ],
      distinct: 2,
      min: '2023-12-24T18:00:00Z',
      max: '2024-02-01'
    },
    tags: {
      type: 'string',
      records: 2,
      values: [
        { value: 'b', records: 2 },
        { value: 'a', records: 1 }
      ],
      distinct: 2
    },
    'nested.deep': {
      type: 'number',
      records: 2,
      values: [{ value: 1, records: 2 }],
      distinct: 1,
      min: 1,
      max: 1
    },
    'nested.list.of': { type: 'string', records: 1, values: [{ value: 'x', records: 1 }], distinct: 1 },
    mix: {
      type: 'mixed',
      records: 2,
      values: [
        { value: 1, records: 1 },
        { value: 'one', records: 1 }
      ],
      distinct: 2
    }
  })
  t.same(
    facets.fields.map(({ field }) => field),
    ['colour', 'made', 'size', 'mix', 'nested.deep', 'sold', 'tags', 'nested.list.of'],
    'most records first, then by name'
  )
})

t.test('any metadata is counted as a recount by hand has it, over some rows too', async (t) => {
  for (let round = 0; round < 20; round++) {
    const pick = (n: number) => Math.floor(uniform() * n)
    const value = () => [pick(5), `v${pick(30)}`, pick(2) === 0, null][pick(4)]
    const records = Array.from({ length: 3000 }, () =>
      pick(9) === 0
        ? null
        : {
            a: value(),
            b: Array.from({ length: pick(4) }, value),
            ...(pick(3) === 0 && { c: { d: value() } })
          }
    )
    const rows = new RowSet(records.length)
    records.forEach((_, row) => row % 3 !== 0 && rows.add(row))
    for (const some of [undefined, rows]) {
      const counts: Record<string, Map<unknown, number>> = { a: new Map(), b: new Map(), 'c.d': new Map() }
      const holders: Record<string, number> = { a: 0, b: 0, 'c.d': 0 }
      records.forEach((metadata, row) => {
        if (!metadata || (some && row % 3 === 0)) return
        for (const [field, cell] of [
          ['a', [metadata.a]],
          ['b', metadata.b],
          ['c.d', [metadata.c ? metadata.c.d : null]]
        ] as [string, unknown[]][]) {
          const values = new Set(cell.filter((item) => item !== null))
          if (values.size > 0) holders[field]++
          for (const item of values) counts[field].set(item, (counts[field].get(item) ?? 0) + 1)
        }
      })
      const found = byField(facetsOf(records, { rows: some, limit: 1000 }))
      t.same(Object.keys(found).sort(), Object.keys(counts))
      for (const [field, expected] of Object.entries(counts)) {
        t.same([found[field].records, found[field].distinct], [holders[field], expected.size])
        t.same(new Map(found[field].values.map(({ value, records }) => [value, records])), expected)
        t.ok(found[field].values.every(({ records }, i, all) => i === 0 || all[i - 1].records >= records))
      }
    }
  }
})

t.test('many values, long ones and many fields stay within bounds', async (t) => {
  const records = Array.from({ length: 5000 }, (_, n) => ({
    id: `n${n}`,
    twice: `t${n >> 1}`,
    prose: 'x'.repeat(257) + n,
    [`own${n % 300}`]: n
  }))
  const facets = facetsOf(records, { limit: 5 })
  t.equal(facets.fields.length, 200)
  t.equal(facets.leftOut, 103)
  t.match(byField(facets), {
    id: { distinct: 5000, records: 5000 },
    twice: { distinct: 2500 },
    prose: { distinct: 5000, values: [] }
  })
  t.same(
    byField(facets).twice.values.map(({ records }) => records),
    [2, 2, 2, 2, 2]
  )
})

t.test('what is removed is counted no more', async (t) => {
  const columns = columnsOf([{ a: 1 }, { a: 2, b: 1 }])
  columns.remove(1)
  columns.set(0, { a: 3 })
  t.same(runToEnd(countFacets(columns, { limit: 5 })).fields, [
    {
      field: 'a',
      type: 'number',
      records: 1,
      values: [{ value: 3, records: 1 }],
      distinct: 1,
      min: 3,
      max: 3
    }
  ])
})
