import t from 'tap'
import { parseFilter } from '../../../src/collections/filter.js'
import { MetadataColumns } from '../../../src/collections/metadata-columns.js'
import { RowSet } from '../../../src/collections/row-set.js'
import { uniform } from '../../fixtures/random.js'

const records: (Record<string, unknown> | null)[] = [
  { colour: 'red', size: 1, tags: ['a', 'b'], place: { city: 'Oslo' }, sold: true },
  { colour: 'green', size: 2, tags: ['b'], place: { city: 'Rome' }, sold: false },
  {
    colour: 'blue',
    size: 3.5,
    tags: [],
    date: '2024-05-01',
    parts: [{ name: 'x' }, { name: 'y', deep: { n: 1 } }]
  },
  { colour: null, size: '2', date: '2025-01-01' },
  null,
  { 'a.b': 1, __proto__x: 2 }
]
const columns = new MetadataColumns()
records.forEach((metadata, row) => columns.set(row, metadata))
const rowsIn = (set: RowSet) => {
  const rows: number[] = []
  set.forEach((row) => rows.push(row))
  return rows
}
const rows = (filter: unknown) => rowsIn(columns.rows(parseFilter(filter)))

t.test('every operator', async (t) => {
  const cases: [unknown, number[]][] = [
    [{ colour: 'red' }, [0]],
    [{ colour: 'red', size: 1 }, [0]],
    [{ colour: 'red', size: 2 }, []],
    [{ colour: { $eq: 'red' } }, [0]],
    [{ colour: { $eq: null } }, [3, 4, 5]],
    [{ size: { $eq: 1, $lt: 2 } }, [0]],
    [{ tags: { $eq: 'b' } }, [0, 1]],
    [{ tags: { $all: ['a', 'b'] } }, [0]],
    [{ tags: { $all: ['b'] } }, [0, 1]],
    [{ $nor: [{ colour: 'red' }, { size: { $exists: true } }] }, [4, 5]],
    [{ colour: { $in: ['red', 'blue', 'none'] } }, [0, 2]],
    [{ colour: { $nin: ['red', 'blue'] } }, [1, 3, 4, 5]],
    [{ colour: { $ne: 'red' } }, [1, 2, 3, 4, 5]],
    [{ colour: { $exists: true } }, [0, 1, 2, 3]],
    [{ colour: { $exists: false } }, [4, 5]],
    [{ colour: null }, [3, 4, 5]],
    [{ size: { $gt: 1 } }, [1, 2]],
    [{ size: { $gte: 1, $lt: 3.5 } }, [0, 1]],
    [{ size: { $lte: 2 } }, [0, 1]],
    [{ size: 2 }, [1]],
    [{ size: '2' }, [3]],
    [{ date: { $gte: '2024-06-01' } }, [3]],
    [{ tags: 'b' }, [0, 1]],
    [{ tags: { $in: ['a'] } }, [0]],
    [{ tags: { $exists: true } }, [0, 1, 2]],
    [{ 'place.city': 'Rome' }, [1]],
    [{ place: { $exists: true } }, [0, 1]],
    [{ place: null }, [2, 3, 4, 5]],
    [{ 'parts.name': 'y' }, [2]],
    [{ 'parts.deep.n': 1 }, [2]],
    [{ sold: true }, [0]],
    [{ sold: false }, [1]],
    [{ 'a.b': 1 }, [5]],
    [{ $or: [{ colour: 'red' }, { size: 3.5 }] }, [0, 2]],
    [{ $and: [{ tags: 'b' }, { $not: { colour: 'red' } }] }, [1]],
    [{ $not: { $or: [{ colour: 'red' }, { colour: 'green' }] } }, [2, 3, 4, 5]],
    [{ size: { $not: { $gt: 1 } } }, [0, 3, 4, 5]],
    [{ nothing: 'x' }, []],
    [{ colour: { $in: [] } }, []],
    [{}, [0, 1, 2, 3, 4, 5]]
  ]
  for (const [filter, expected] of cases) t.same(rows(filter), expected, JSON.stringify(filter))
})

t.test('what is no filter is rejected with its place', async (t) => {
  const cases: [unknown, RegExp][] = [
    [5, /filter must be an object/],
    [{ a: { $regex: 'x' } }, /filter\.a\.\$regex is not an operator\. The operators are \$eq, .*\$exists/],
    [{ $where: 'x' }, /filter\.\$where is not an operator/],
    [{ a: { $neq: 1 } }, /filter\.a\.\$neq is not an operator; did you mean \$ne\?/],
    [{ a: { gte: 1 } }, /filter\.a\.gte is not an operator; did you mean \$gte\?/],
    [{ a: { $contains: 'x' } }, /did you mean \$eq\?/],
    [{ $AND: [{ a: 1 }] }, /filter\.\$AND is not an operator; did you mean \$and\?/],
    [{ must_not: [{ a: 1 }] }, /filter\.must_not must not be a list; did you mean \$nor\?/],
    [{ a: {} }, /filter\.a has no condition/],
    [{ a: [1] }, /filter\.a must not be a list; use \$in/],
    [{ a: { $eq: [1] } }, /filter\.a\.\$eq must be a string/],
    [{ a: { $in: 5 } }, /filter\.a\.\$in must be a list/],
    [{ a: { $in: [1, {}] } }, /filter\.a\.\$in\[1\] must be a string/],
    [{ a: { $all: [] } }, /filter\.a\.\$all must have a value/],
    [{ a: { $gt: true } }, /must be a number or a string/],
    [{ a: { $exists: 1 } }, /must be true or false/],
    [{ $and: [] }, /must be a list/],
    [{ $nor: {} }, /must be a list/],
    [{ $or: [{}] }, /filter\.\$or\[0\] has no condition/],
    [{ $not: {} }, /filter\.\$not has no condition/],
    [{ $or: Array(1001).fill({ a: 1 }) }, /1000 conditions/],
    [{ a: 'x'.repeat(70_000) }, /characters/],
    [{ $or: [5] }, /filter\.\$or\[0\] must be an object/],
    [{ a: { $in: Array(1001).fill(1) } }, /1000 conditions/]
  ]
  for (const [filter, message] of cases)
    t.throws(
      () => parseFilter(filter),
      { code: 'FILTER_INVALID', message },
      JSON.stringify(filter).slice(0, 60)
    )
})

t.test('numbers that are not exact are rejected in every operator', async (t) => {
  const large = 2 ** 53
  const cases: [unknown, string][] = [
    [{ a: large }, 'filter.a'],
    [{ a: { $eq: -large } }, 'filter.a.$eq'],
    [{ a: { $ne: 1e300 } }, 'filter.a.$ne'],
    [{ a: { $in: ['x', large] } }, 'filter.a.$in[1]'],
    [{ a: { $nin: [large] } }, 'filter.a.$nin[0]'],
    [{ a: { $all: [large] } }, 'filter.a.$all[0]'],
    [{ a: { $gt: large } }, 'filter.a.$gt'],
    [{ a: { $lte: JSON.parse('1e400') } }, 'filter.a.$lte'],
    [{ $or: [{ a: { $not: { $lt: large } } }] }, 'filter.$or[0].a.$not.$lt']
  ]
  for (const [filter, path] of cases) {
    t.throws(
      () => parseFilter(filter),
      { code: 'FILTER_INVALID', message: `${path} is a number beyond 9007199254740991` },
      path
    )
    t.throws(() => parseFilter(filter), { message: /send it as a string/ })
  }
  t.same(parseFilter({ a: { $lte: Number.MAX_SAFE_INTEGER } }), {
    kind: 'range',
    field: 'a',
    operator: '$lte',
    value: Number.MAX_SAFE_INTEGER
  })
})

t.test('any depth is rejected without recursion', async (t) => {
  const shapes: Record<string, (inner: unknown) => unknown> = {
    $not: (inner) => ({ $not: inner }),
    $and: (inner) => ({ $and: [inner] }),
    $nor: (inner) => ({ a: 1, $nor: [{ b: 2 }, inner] }),
    'a field': (inner) => ({ a: inner }),
    '$not of a field': (inner) => ({ a: { $not: inner } }),
    'a list': (inner) => [inner],
    'an operand': (inner) => ({ a: { $in: [inner] } })
  }
  const nested = (wrap: (inner: unknown) => unknown, levels: number) => {
    let filter: unknown = { a: { $in: [1] } }
    for (let level = 0; level < levels; level++) filter = wrap(filter)
    return filter
  }
  for (const [name, wrap] of Object.entries(shapes)) {
    for (const levels of [17, 20, 2064, 4115, 100_000])
      t.throws(() => parseFilter(nested(wrap, levels)), { code: 'FILTER_INVALID' }, `${name}, ${levels} deep`)
  }
  for (const name of ['$not', '$and', '$nor'])
    t.doesNotThrow(() => parseFilter(nested(shapes[name], 15)), `${name}, 15 deep`)
})

t.test('rows change with their records', async (t) => {
  const changing = new MetadataColumns()
  const find = (filter: unknown) => rowsIn(changing.rows(parseFilter(filter)))
  changing.set(0, { a: 1, b: 2 })
  changing.set(1, { a: 1 })
  t.same(find({ a: 1 }), [0, 1])
  changing.set(0, { b: 3 })
  t.same(find({ a: 1 }), [1])
  t.same(find({ b: { $exists: true } }), [0])
  changing.set(2, { 'a.b': 1, a: { b: 2 }, l: [{ x: 1 }, { x: [2, 3] }], 'l.x': 4 })
  for (const value of [1, 2])
    t.same(find({ 'a.b': value }), [2], 'a path that is there twice holds both values')
  for (const value of [1, 2, 3, 4]) t.same(find({ 'l.x': value }), [2])
  changing.set(2, { other: 1 })
  t.same(find({ 'a.b': { $exists: true } }), [])
  changing.remove(2)
  changing.remove(2)
  changing.remove(1)
  t.same(find({ a: { $exists: true } }), [])
})

t.test('random filters agree with a plain evaluation', async (t) => {
  const random = (n: number) => Math.floor(uniform() * n)
  const many = Array.from({ length: 500 }, () => ({
    x: random(10),
    y: ['p', 'q', 'r'][random(3)],
    ...(random(2) ? { z: random(100) } : {})
  }))
  const all = new MetadataColumns()
  many.forEach((metadata, row) => all.set(row, metadata))
  for (let i = 0; i < 100; i++) {
    const [x, y, z] = [random(10), ['p', 'q'][random(2)], random(100)]
    const filter = { $or: [{ x: { $lt: x }, y }, { $not: { z: { $gte: z } } }] }
    const expected = many.flatMap((record, row) =>
      (record.x < x && record.y === y) || !(record.z !== undefined && record.z >= z) ? [row] : []
    )
    t.same(rowsIn(all.rows(parseFilter(filter))), expected)
  }
})

t.test('row sets of all sizes', async (t) => {
  for (const bound of [0, 1, 31, 32, 33, 100]) {
    const set = new RowSet(bound)
    for (let row = 0; row < bound; row += 3) set.add(row)
    t.same(
      rowsIn(set),
      Array.from({ length: bound }, (_, row) => row).filter((row) => row % 3 === 0),
      `${bound} rows`
    )
    t.same(
      rowsIn(set.complement()),
      Array.from({ length: bound }, (_, row) => row).filter((row) => row % 3 !== 0)
    )
    t.equal(set.has(bound + 1), false)
  }
})
