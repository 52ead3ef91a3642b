import { isObject } from '../json/is-object.js'

/**
 * The value of a field of the metadata as a label, trimmed; `a.b` is a field of an object, unless one has
 * that very name. Lists, objects and empty values are none.
 */
export function labelIn(metadata: Record<string, unknown> | null, field: string): string | undefined {
  const value =
    metadata && Object.hasOwn(metadata, field)
      ? metadata[field]
      : field
          .split('.')
          .reduce<unknown>(
            (inner, key) => (isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
            metadata
          )
  const label = ['string', 'number', 'boolean'].includes(typeof value) ? String(value).trim() : ''
  return label === '' ? undefined : label
}
