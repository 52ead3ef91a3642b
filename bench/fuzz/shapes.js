// Values that mean something to the service, valid and hostile, by the name of the field that takes them.
import fc from 'fast-check'
import { picture, raw } from './tokens.js'

/**
 * Collections of a run. What is in `known` is never written to, `main` is never emptied, the others are open
 * to all.
 */
export const COLLECTIONS = { known: 'known', main: 'main', scratch: ['plain', 'scratch-1', 'scratch-2'] }

/** Pictures of the corpus have numbers below this, whole ones that and above. */
export const MOST_PICTURES = 1_000_000

const some = (...values) => fc.constantFrom(...values)
const weighted = (...pairs) => fc.oneof(...pairs.map(([weight, arbitrary]) => ({ weight, arbitrary })))

export const oddString = weighted(
  [
    3,
    some(
      '',
      ' ',
      '\0',
      '\ufeff',
      '\ud800',
      '\u202e',
      '.',
      '..',
      'null',
      '__proto__',
      'constructor',
      '{label}',
      '{',
      '[1',
      '-1',
      '1e999'
    )
  ],
  [
    1,
    some(
      '%',
      '%00',
      'a/b#c?d',
      'ünï 🥕',
      'a\nb',
      "'; DROP TABLE record; --",
      '<script>',
      '\u007f',
      'a'.repeat(256),
      'é'.repeat(200)
    )
  ],
  [1, fc.string({ unit: 'grapheme', maxLength: 12 })],
  [1, some(raw('long', 8000), raw('long', 8001), raw('long', 70_000), raw('emoji', 4001), raw('emoji', 8000))]
)
const oddNumber = some(
  0,
  -1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  raw('number', '-0'),
  raw('number', '9007199254740993'),
  raw('number', '1e400'),
  raw('number', '123456789012345678901234567890'),
  raw('nan', '')
)
const oddDate = some(
  '2024-02-01T01:00:00+02:00',
  '2024-02-01T00:00:00Z',
  '2024-01-31T23:59:60Z',
  '2024-02-30T00:00:00Z',
  '2024-02-01T00:00:00-00:00',
  '2024-02-01T00:00:00.123456789Z',
  '2024-02-01 00:00:00Z',
  '2024-02-01',
  '0000-01-01T00:00:00Z',
  '+275760-09-13T00:00:00Z',
  '2999-01-01T00:00:00+14:00'
)
/** Nesting around the bounds, beyond them, and so deep that what walks it by recursion ends. */
const depth = some(15, 16, 17, 31, 32, 33, 100, 2064, 4115, 50_000)
const monster = weighted(
  [
    4,
    fc
      .tuple(some('deep-object', 'deep-list', 'deep-and', 'deep-not'), depth)
      .map(([kind, levels]) => raw(kind, levels))
  ],
  [2, some(1000, 5000, 40_000).map((count) => raw('keys', count))],
  [1, some(raw('keys', 330_000), raw('list', 300_000), raw('texts', 5000), raw('long', 2_000_000))],
  [2, some(raw('proto', ''), raw('constructor', ''), raw('twice', ''))],
  [1, some(100, 330, 999).map((count) => raw('negated-ranges', count))]
)
/** What a mutation puts in the place of a value. */
export const oddValue = weighted(
  [4, some(null, true, [], {}, [[]], '', 0)],
  [3, oddString],
  [3, oddNumber],
  [1, oddDate],
  [2, monster],
  [1, fc.jsonValue({ maxDepth: 3 })]
)

const text = weighted(
  [8, some('a red apple', 'a green square', 'something blue', 'ein Hund', '猫', 'a photo of a cat')],
  [1, fc.lorem({ maxCount: 5 })],
  [1, oddString]
)
const scalar = weighted(
  [4, some('red', 'blue', 'Red', 'red ')],
  [3, fc.integer({ min: -3, max: 12 })],
  [1, some(true, false, null)],
  [2, oddDate],
  [1, oddNumber]
)
const field = weighted(
  [8, some('colour', 'colour', 'size', 'at', 'tags', 'nested.deep', 'nested')],
  [1, some('', '.', 'a..b', '__proto__', 'constructor', 'tags.0')]
)

const { filter } = fc.letrec((tie) => ({
  operand: fc.oneof(
    scalar,
    fc
      .tuple(some('$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$exists'), scalar)
      .map((pair) => Object.fromEntries([pair])),
    fc
      .tuple(some('$in', '$nin'), fc.array(scalar, { maxLength: 4 }))
      .map((pair) => Object.fromEntries([pair]))
  ),
  condition: fc.tuple(field, tie('operand')).map((pair) => Object.fromEntries([pair])),
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('condition'),
    fc
      .tuple(some('$and', '$or'), fc.array(tie('filter'), { minLength: 1, maxLength: 3 }))
      .map((pair) => Object.fromEntries([pair])),
    tie('filter').map((inner) => ({ $not: inner }))
  )
}))
const metadata = weighted(
  [
    6,
    fc.record(
      {
        colour: some('red', 'blue'),
        size: fc.oneof(fc.integer(), oddNumber),
        at: oddDate,
        tags: fc.array(some('a', 'b')),
        nested: fc.record({ deep: fc.double() })
      },
      { requiredKeys: [] }
    )
  ],
  [1, fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 })]
)
const id = weighted(
  [12, fc.nat(39).map((n) => `r${n}`)],
  [1, some('a/b#c.d', 'ünï 🥕', '..', '#', '%2F', '0')],
  [1, oddString]
)
const corpus = fc.noBias(fc.nat(MOST_PICTURES - 1))
/** Whole pictures as often as those of the corpus, most of which are damaged. */
const picturesOfCorpus = fc.oneof(
  corpus,
  corpus.map((number) => MOST_PICTURES + number)
)
/** A file in a form. */
export const file = weighted([12, picturesOfCorpus.map(picture)], [1, fc.constant('')])
const image = weighted(
  [8, picturesOfCorpus.map((number) => ({ base64: picture(number) }))],
  [1, picturesOfCorpus.map((number) => ({ base64: `data:image/png;base64,${picture(number)}` }))],
  [
    1,
    some(
      { base64: '' },
      { base64: '====' },
      { base64: 'AAAA\n' },
      { url: 'http://127.0.0.1:1/x.png' },
      { url: 'file:///etc/hostname' },
      { url: '' },
      { base64: 'AAAA', url: 'x' }
    )
  ]
)
const embedding = weighted(
  [8, some(256, 256, 256, 256, 256, 4, 1, 8193).map((dimension) => raw('vector', dimension))],
  [1, some([1, 0, 0, 0], [0, 0, 0, 0], [1e308, 1e308, 1, 1])],
  [1, some('AACAPwAAAAAAAAAAAAAAAA==', 'AAAA', '')]
)
const label = weighted([8, some('cat', 'dog', 'Cat', 'cat ', 'a red apple', 'cat,dog')], [1, oddString])
const aCollection = weighted(
  [10, some(COLLECTIONS.main)],
  [3, some(...COLLECTIONS.scratch)],
  [2, some(COLLECTIONS.known)],
  [1, some('nowhere')]
)
const small = (min, max) => fc.integer({ min, max })

const ofRecord = fc.record({ record: id, modality: fc.option(some('image', 'text'), { nil: undefined }) })
const part = fc.oneof(
  text.map((each) => ({ text: each })),
  image.map((each) => ({ image: each })),
  ofRecord,
  embedding.map((each) => ({ embedding: each }))
)
const weightedPart = fc.tuple(part, some(undefined, 1, -0.5)).map(([each, weight]) => ({ ...each, weight }))
const query = weighted([4, part], [1, fc.array(weightedPart, { minLength: 1, maxLength: 3 })])

/** By the name of a field or parameter: values that are likely to be taken, with some that are not. */
export const BY_NAME = {
  text,
  query,
  collection: aCollection,
  against: some('mini', 'other'),
  model: weighted([12, some('mini')], [1, some('other', '', null)]),
  filter: weighted([12, filter], [1, monster]),
  metadata: weighted([12, metadata], [1, monster]),
  id,
  record: id,
  ids: fc.array(id, { minLength: 1, maxLength: 5 }),
  image,
  embedding,
  label,
  name: some('b1', 'b2', 'b3'),
  backup: some('b1', 'b2', 'b3'),
  from: some(...COLLECTIONS.scratch, COLLECTIONS.main),
  classifier: some('c1', 'c2'),
  key: some('load-1', 'load-2', 'a b', '../x'),
  'idempotency-key': some('load-1', 'load-2', 'load-3', 'x'.repeat(255), 'x'.repeat(300)),
  label_field: field,
  cursor: weighted([3, fc.nat(9).map((n) => `#cursor:${n}`)], [1, oddString]),
  // What would take minutes by itself.
  resamples: some(100, 101),
  dimension: some(256, 4),
  dimensions: some(256, 64, 1, 0, 257),
  sample: small(1, 60),
  per_class: small(1, 5),
  ef_construction: small(8, 40),
  ef_search: small(8, 400),
  m: small(2, 16),
  folder: some('scenes', '../..', '/etc')
}
