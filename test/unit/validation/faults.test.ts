import { Ajv } from 'ajv'
import t from 'tap'
import { Type, type TSchema } from 'typebox'
import { countCharacters, isLonger } from '../../../src/validation/code-points.js'
import { GeneralQuery, TextQuery } from '../../../src/http/routes/search-schemas.js'
import { FormImage, JsonImage, RecordFields } from '../../../src/http/schemas.js'
import { closestName } from '../../../src/validation/closest-name.js'
import { describeFaults } from '../../../src/validation/faults.js'

/** What is said of a value that a schema refuses. */
function fault(schema: TSchema, value: unknown, part = 'body'): string {
  const validate = new Ajv({
    strict: false,
    verbose: true,
    formats: { binary: true, 'date-time': true }
  }).compile(schema)
  return validate(value) ? 'valid' : describeFaults(validate.errors ?? [], part)
}

t.test('an unknown field is named, with the one that was meant', async (t) => {
  t.equal(fault(TextQuery, { text: 'x', limt: 3 }), "The field 'limt' is unknown: did you mean 'limit'?")
  t.equal(fault(TextQuery, { txt: 'x' }), "The field 'txt' is unknown: did you mean 'text'?")
  t.equal(fault(TextQuery, {}), "The field 'text' is missing.")
  t.match(
    fault(TextQuery, { text: 'x', colour: 3 }),
    /^The field 'colour' is unknown: the fields are text, limit, offset, filter, .*\.$/
  )
  t.equal(
    fault(GeneralQuery, { query: [{ text: 'a' }, { txt: 'b' }] }),
    "The field 'query[1].txt' is unknown: did you mean 'text'?"
  )
  t.equal(
    fault(TextQuery, { text: 'x', limt: 3 }, 'querystring'),
    "The query parameter 'limt' is unknown: did you mean 'limit'?"
  )
  t.equal(
    fault(RecordFields, { imageUrl: 'x' }, 'The record'),
    "The field 'imageUrl' is unknown: did you mean 'image_url'?"
  )
  t.match(fault(TextQuery, { text: 'x', ['y'.repeat(10_000)]: 1 }), /^The field 'y{40}…' is unknown/)
})

t.test('a wrong value is named, with what is allowed', async (t) => {
  t.equal(
    fault(GeneralQuery, { query: { text: 'x' }, target: 'picture' }),
    'The field \'target\' must be "image" or "text" or "record", not \'picture\'.'
  )
  t.equal(fault(TextQuery, { text: 'x', limit: '5' }), "The field 'limit' must be a whole number, not '5'.")
  t.equal(fault(TextQuery, { text: 'x', limit: 0 }), "The field 'limit' must be at least 1, not 0.")
  t.equal(fault(TextQuery, { text: 'x', limit: 5000 }), "The field 'limit' must be at most 1000, not 5000.")
  t.equal(fault(TextQuery, { text: '' }), "The field 'text' is empty.")
  t.equal(fault(TextQuery, 5), 'The body must be an object, not 5.')
  t.equal(fault(TextQuery, null), 'The request body is missing.')
  t.equal(fault(TextQuery, { text: 'x', filter: [] }), "The field 'filter' must be an object, not a list.")
  t.equal(fault(JsonImage, {}), 'The body needs exactly one of base64, url.')
  t.equal(fault(JsonImage, { base64: 'x', url: 'y' }), 'The body needs exactly one of base64, url.')
  t.equal(
    fault(Type.String({ maxLength: 3 }), '🍎🍎🍎🍎'),
    'The body has 4 characters; at most 3 are allowed.'
  )
  t.equal(
    fault(Type.Array(Type.Number(), { maxItems: 2 }), [1, 2, 3]),
    'The body has 3 items; at most 2 are allowed.'
  )
})

t.test('of a union the branch that was meant is told, in one message', async (t) => {
  t.equal(
    fault(GeneralQuery, { query: 'a dog' }),
    "The field 'query' must be an object or a list, not 'a dog'."
  )
  t.equal(fault(GeneralQuery, { query: { text: 5 } }), "The field 'query.text' must be a string, not 5.")
  t.equal(fault(GeneralQuery, { query: [] }), "The field 'query' is an empty list.")
  const Either = Type.Object({ prior: Type.Union([Type.Boolean(), Type.Literal('auto')]) })
  t.equal(fault(Either, { prior: 'yes' }), "The field 'prior' must be true or false or \"auto\", not 'yes'.")
  const Folder = Type.Object(
    { folder: Type.String(), split: Type.Optional(Type.String()) },
    { additionalProperties: false }
  )
  const Records = Type.Object({ collection: Type.String() }, { additionalProperties: false })
  t.equal(
    fault(Type.Union([Folder, Records]), { collection: 'x', split: 'test' }),
    "The field 'split' is unknown: the fields are collection."
  )
})

t.test('a form without its image is told that no file was chosen', async (t) => {
  const Form = Type.Object({ image: FormImage }, { additionalProperties: false })
  const Several = Type.Object({ image: Type.Array(FormImage) }, { additionalProperties: false })
  for (const schema of [Form, Several])
    t.equal(fault(schema, {}), "The form has no image: no file was chosen for 'image'.")
})

t.test('the closest name is within two edits', async (t) => {
  const known = ['limit', 'offset', 'filter', 'text', 'score_threshold', 'id']
  for (const [name, meant] of [
    ['limt', 'limit'],
    ['lmiit', 'limit'],
    ['Offset', 'offset'],
    ['filters', 'filter'],
    ['scoreThreshold', 'score_threshold'],
    ['score-treshold', 'score_threshold']
  ]) {
    t.equal(closestName(name, known), meant, name)
  }
  for (const name of ['colour', 'x', 'te', 'limit'.repeat(1000), ''])
    t.equal(closestName(name, known), undefined, name.slice(0, 20))
})

t.test('characters are code points', async (t) => {
  for (const text of ['', 'abc', '🍎', 'a🍎b', '\ud83c', '\udf4e\ud83c', '🍎\udf4e', '👩‍👩‍👧'])
    t.equal(countCharacters(text), [...text].length, JSON.stringify(text))
  t.equal(isLonger('🍎'.repeat(8000), 8000), false)
  t.equal(isLonger('🍎'.repeat(8001), 8000), true)
  t.equal(isLonger('a'.repeat(8001), 8000), true)
})
