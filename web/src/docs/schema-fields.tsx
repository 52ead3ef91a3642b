import type { Schema } from '../../../src/http/docs/code-samples/operation.js'
import { Inline } from './prose.js'

/** Deepest object that is shown. */
const MAX_DEPTH = 4

/** The fields of an object, those of objects within them indented. */
export function SchemaFields({ schema, depth = 0 }: { schema: Schema; depth?: number }) {
  const { properties = {}, required = [] } = schema
  return (
    <ul class="fields">
      {Object.entries(properties).map(([name, property]) => {
        const inner = depth < MAX_DEPTH ? objectsIn(property) : []
        return (
          <li key={name}>
            <p>
              <code class="field-name">{name}</code>{' '}
              <span class="muted">
                {typeOf(property)}
                {required.includes(name) ? ', required' : ''}
              </span>
              {boundsOf(property) && <span class="muted"> · {boundsOf(property)}</span>}
            </p>
            {property.description && (
              <p class="field-text">
                <Inline text={property.description} />
              </p>
            )}
            {inner.map((each, i) => (
              <SchemaFields key={i} schema={each} depth={depth + 1} />
            ))}
          </li>
        )
      })}
    </ul>
  )
}

/** The objects that a value may be, or be a list of. */
function objectsIn({ properties, items, anyOf = [], oneOf = [], ...rest }: Schema): Schema[] {
  if (properties) return [{ properties, required: rest.required }]
  return [...(items ? objectsIn(items) : []), ...[...anyOf, ...oneOf].flatMap(objectsIn)].slice(0, 1)
}

/** A type in words: `list of string`, `string or null`. */
export function typeOf({ type, format, items, anyOf, oneOf, enum: values, const: only }: Schema): string {
  if (only !== undefined) return JSON.stringify(only)
  if (values) return values.map((value) => JSON.stringify(value)).join(', ')
  if (anyOf ?? oneOf) return [...new Set((anyOf ?? oneOf)!.map(typeOf))].join(' or ')
  if (format === 'binary') return 'file'
  if (type === 'array') return `list of ${items ? typeOf(items) : 'anything'}`
  return [type ?? 'anything'].flat().join(' or ')
}

/** Bounds and default of a value, in words. */
export function boundsOf({
  minimum,
  maximum,
  minLength,
  maxLength,
  minItems,
  maxItems,
  default: usual
}: Schema): string {
  return [
    range(minimum, maximum),
    counted(minLength, maxLength, 'characters'),
    counted(minItems, maxItems, 'items'),
    usual === undefined ? '' : `${JSON.stringify(usual)} by default`
  ]
    .filter(Boolean)
    .join(', ')
}

function counted(low: number | undefined, high: number | undefined, what: string): string {
  if (low === 1 && high === undefined) return 'not empty'
  return low === undefined && high === undefined ? '' : `${range(low, high)} ${what}`
}

function range(low: number | undefined, high: number | undefined): string {
  const [from, to] = [low, high].map((bound) => bound?.toLocaleString('en', { maximumSignificantDigits: 20 }))
  if (from !== undefined && to !== undefined) return `${from} to ${to}`
  return from !== undefined ? `at least ${from}` : to !== undefined ? `at most ${to}` : ''
}
