import t from 'tap'
import { countFacets } from '../../../src/collections/facets.js'
import { parseFilter } from '../../../src/collections/filter.js'
import { compareInstants, toInstant } from '../../../src/collections/instant.js'
import { MetadataColumns } from '../../../src/collections/metadata-columns.js'

t.test('dates and times with a zone are instants, in this order', async (t) => {
  const groups = [
    ['0000-01-01T00:00:00+23:59'],
    ['1969-12-31T23:59:59Z', '1970-01-01T00:59:59+01:00'],
    ['1990-12-31T23:59:59.999Z'],
    ['1990-12-31T23:59:60Z', '1990-12-31T15:59:60-08:00', '1990-12-31t23:59:60.000z'],
    ['1990-12-31T23:59:60.25Z'],
    ['1991-01-01T00:00:00Z', '1991-01-01T00:00:00-00:00'],
    ['2024-02-01T01:00:00+02:00', '2024-01-31T23:00:00Z', '2024-01-31t23:00:00.00z'],
    ['2024-01-31T23:00:00.00000000000000000001Z'],
    ['2024-01-31T23:00:00.1Z', '2024-01-31T23:00:00.100Z'],
    ['2024-01-31T23:00:00.1000000000000000000000000001Z'],
    ['2024-01-31T23:00:00.11Z'],
    ['2024-02-29T00:00:00Z'],
    ['9999-12-31T23:59:59-23:59']
  ]
  const places = groups.flatMap((group, place) =>
    group.map((text) => ({ text, place, instant: toInstant(text)! }))
  )
  const wrong = places.flatMap((a) =>
    places
      .filter((b) => Math.sign(compareInstants(a.instant, b.instant)) !== Math.sign(a.place - b.place))
      .map((b) => `${a.text} ${b.text}`)
  )
  t.same(wrong, [])
})

t.test('other strings are none: without a zone, or no date of the calendar', async (t) => {
  const others = [
    '',
    '2024-02-01',
    '2024-02-01T00:00:00',
    '2024-02-01T00:00Z',
    '2024-02-01 00:00:00Z',
    '2024-02-01T00:00:00.Z',
    '2024-02-01T00:00:00+0200',
    ' 2024-02-01T00:00:00Z',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-15T23:59:60Z',
    '2024-01-31T12:00:60Z',
    '2024-01-31T23:59:60+01:00',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+01:60',
    '12024-01-01T00:00:00Z'
  ]
  t.same(
    others.filter((text) => toInstant(text) !== undefined),
    []
  )
})

const records = [
  { at: '2024-02-01T01:00:00+02:00' },
  { at: '2024-02-01T00:00:00Z' },
  { at: ['2024-01-31T20:00:00-04:00', 'later'] },
  { at: '2024-02-01' },
  { at: '2024-01-31T23:00:00.000Z', other: 1 },
  { at: '2024-02-30T00:00:00Z' }
]

t.test('filters compare instants, and all else as strings', async (t) => {
  const columns = new MetadataColumns()
  records.forEach((metadata, row) => columns.set(row, metadata))
  const cases: [unknown, number[]][] = [
    [{ at: { $lt: '2024-02-01T00:00:00Z' } }, [0, 3, 4]],
    [{ at: { $lte: '2024-02-01T02:00:00+02:00' } }, [0, 1, 2, 3, 4]],
    [{ at: { $gt: '2024-01-31T23:00:00Z' } }, [1, 2, 3, 5]],
    [{ at: { $gte: '2024-01-31T23:00:00Z' } }, [0, 1, 2, 3, 4, 5]],
    [{ at: '2024-01-31T23:00:00Z' }, [0, 4]],
    [{ at: { $eq: '2024-02-01t00:00:00.0z' } }, [1, 2]],
    [{ at: { $ne: '2024-01-31T23:00:00Z' } }, [1, 2, 3, 5]],
    [{ at: { $in: ['2024-02-01T00:00:00+00:00', '2024-02-01'] } }, [1, 2, 3]],
    [{ at: { $nin: ['2024-02-01T00:00:00+00:00', '2024-02-01'] } }, [0, 4, 5]],
    [{ at: { $all: ['2024-02-01T00:00:00Z', 'later'] } }, [2]],
    [{ at: { $gte: '2024-02-01' } }, [0, 1, 2, 3, 5]],
    [{ at: '2024-02-30T00:00:00Z' }, [5]],
    [{ at: '2024-02-30T00:00:00+00:00' }, []]
  ]
  for (const [filter, expected] of cases) {
    const rows: number[] = []
    columns.rows(parseFilter(filter)).forEach((row) => rows.push(row))
    t.same(rows, expected, JSON.stringify(filter))
  }
})

t.test('facets count the same moments as one value, and range from the first to the last', async (t) => {
  const facetOf = (values: unknown[]) => {
    const columns = new MetadataColumns()
    values.forEach((at, row) => columns.set(row, { at }))
    const step = countFacets(columns, { limit: 10 }).next()
    return step.done ? step.value.fields[0] : undefined
  }
  t.match(
    facetOf([
      '2024-02-01T01:00:00+02:00',
      '2024-01-31T23:00:00Z',
      '2024-01-31T23:30:00Z',
      ['2024-01-31T23:00:00.0Z', '2024-02-01T00:00:00+01:00']
    ]),
    {
      records: 4,
      distinct: 2,
      values: [
        { value: '2024-02-01T01:00:00+02:00', records: 3 },
        { value: '2024-01-31T23:30:00Z', records: 1 }
      ],
      min: '2024-02-01T01:00:00+02:00',
      max: '2024-01-31T23:30:00Z'
    }
  )
  t.match(
    facetOf(['2024-02-01', '2024-01-31t23:00:00z']),
    { min: '2024-01-31t23:00:00z', max: '2024-02-01' },
    'with others they range by code units'
  )
})
