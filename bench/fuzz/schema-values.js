// Values that a JSON schema allows, and such with damage.
import fc from 'fast-check'
import { BY_NAME, file, oddValue } from './shapes.js'

/** An arbitrary of values of a schema; fields whose name means something take what BY_NAME has for them. */
export function valuesOf(schema, name) {
  if (Object.hasOwn(BY_NAME, name) && !isFileList(schema)) return listed(schema, BY_NAME[name])
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((branch) => valuesOf(branch, name)))
  const { minimum: min = -1000, maximum: max = Math.max(min, 0) + 100_000 } = schema
  switch (schema.type) {
    case 'object':
      return objectsOf(schema)
    case 'array':
      return listsOf(schema, name)
    case 'integer':
      return edged(fc.integer({ min, max: Math.min(max, min + 200) }), [min, max])
    case 'number':
      return edged(fc.double({ min, max, noNaN: true }), [min, max])
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return stringsOf(schema)
  }
}

const isFileList = ({ type, items }) => type === 'array' && items?.format === 'binary'
/** A named value where the schema has a list of them is a list. */
const listed = (schema, values) =>
  schema.type === 'array' && schema.items.type !== 'number' && values !== BY_NAME.ids
    ? fc.array(values, { minLength: 1, maxLength: 3 })
    : values
const edged = (inner, edges) =>
  fc.oneof({ weight: 9, arbitrary: inner }, { weight: 1, arbitrary: fc.constantFrom(...edges) })

function objectsOf({ properties = {}, required = [], minProperties = 0, additionalProperties }) {
  const names = Object.keys(properties)
  if (names.length === 0)
    return typeof additionalProperties === 'object'
      ? fc.dictionary(fc.constantFrom('cat', 'dog', 'x'), valuesOf(additionalProperties))
      : fc.constant({})
  const optional = names.filter((name) => !required.includes(name))
  const values = fc.record(Object.fromEntries(names.map((name) => [name, valuesOf(properties[name], name)])))
  // Of optional fields a few at a time: all at once contradict each other.
  const chosen = fc.subarray(optional, {
    minLength: Math.min(optional.length, Math.max(0, minProperties - required.length)),
    maxLength: Math.min(optional.length, Math.max(minProperties, 3))
  })
  return fc.tuple(values, chosen, fc.nat(9)).map(([value, kept, chance]) => {
    const wanted = chance === 0 ? [...required, ...kept] : sensible([...required, ...kept], names)
    return Object.fromEntries(Object.entries(value).filter(([name]) => wanted.includes(name)))
  })
}

/** Fields that say the same in several ways, of which one is sent. */
const EXCLUSIVE = [
  ['image', 'images'],
  ['ttl_seconds', 'expires_at'],
  ['ids', 'filter'],
  ['examples', 'collection'],
  ['model', 'dimension']
]
/** Where none of these is there that could be, the request asks for nothing. */
const CONTENT = ['text', 'image', 'images', 'labels', 'embeddings', 'ids', 'collection']

/** Names of fields that go together, out of those chosen; `all` are those of the schema. */
function sensible(chosen, all) {
  const names = EXCLUSIVE.reduce(
    (kept, [first, second]) => (kept.includes(first) ? kept.filter((name) => name !== second) : kept),
    chosen
  )
  const content = CONTENT.find((name) => all.includes(name))
  const added =
    content === undefined || names.some((name) => CONTENT.includes(name)) ? names : [...names, content]
  return added.includes('collection') && all.includes('label_field') ? [...added, 'label_field'] : added
}

function listsOf({ items, minItems = 0, maxItems = 3, uniqueItems }, name) {
  const bounds = { minLength: Math.min(minItems, 3), maxLength: Math.min(maxItems, 3) }
  // A list named labels has labels, templates have templates.
  const values = valuesOf(
    items,
    Object.hasOwn(BY_NAME, name?.replace(/s$/, '')) ? name.replace(/s$/, '') : undefined
  )
  return uniqueItems && items.enum
    ? fc.subarray(items.enum, { minLength: minItems })
    : fc.array(values, bounds)
}

function stringsOf({ format, pattern, minLength = 0, maxLength = 40 }) {
  if (format === 'binary') return file
  if (format === 'date-time')
    return fc
      .date({ min: new Date('2020-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString())
  if (format === 'uuid') return fc.uuid()
  if (pattern) return fc.stringMatching(new RegExp(pattern))
  return fc.oneof(
    fc.constantFrom('simple', 'a photo of {label}', 'x'),
    fc.string({ minLength, maxLength: Math.min(maxLength, 40) })
  )
}

/** Values of a schema, most as they are, the others with one or two places damaged. */
export function nearlyValid(schema, name) {
  const damage = fc.record({
    place: fc.nat(40),
    kind: fc.constantFrom('replace', 'replace', 'remove', 'add', 'again', 'wrap'),
    value: oddValue
  })
  return fc
    .tuple(
      valuesOf(schema, name),
      fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(damage, { minLength: 1, maxLength: 2 }) }
      )
    )
    .map(([value, damages]) => damages.reduce(damaged, value))
}

/** A copy of a value with the damage done at one of its places, counted through. */
function damaged(value, { place, ...damage }) {
  const root = { value: structuredClone(value) }
  const places = []
  const visit = (holder, key) => {
    places.push([holder, key])
    if (typeof holder[key] === 'object' && holder[key] !== null)
      for (const inner of Object.keys(holder[key])) visit(holder[key], inner)
  }
  visit(root, 'value')
  const [holder, key] = places[place % places.length]
  apply(holder, key, damage)
  return root.value
}

const define = (holder, key, value) =>
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })

/** Keys that a body does not have. */
const STRANGE_KEYS = ['limt', '__proto__', '', 'constructor', 'x']

function apply(holder, key, { kind, value }) {
  const old = holder[key]
  const isRoot = !Array.isArray(holder) && key === 'value'
  if (kind === 'remove' && Array.isArray(holder)) holder.splice(Number(key), 1)
  else if (kind === 'remove' && !isRoot) delete holder[key]
  else if (kind === 'again' && Array.isArray(holder)) holder.push(old)
  else if (kind === 'wrap') define(holder, key, [old])
  else if (kind === 'add' && Array.isArray(old)) old.push(value)
  else if (kind === 'add' && Object(old) === old)
    define(old, STRANGE_KEYS[JSON.stringify(value).length % STRANGE_KEYS.length], value)
  else define(holder, key, value)
}
