/**
 * Tells whether a number is kept as it was sent: beyond 2^53 - 1 neighbouring whole numbers become the same
 * double.
 */
export function isExact(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER
}

/** Says that the number at a place is too large, and what to do. */
export function inexactMessage(path: string): string {
  return (
    `${path} is a number beyond ${Number.MAX_SAFE_INTEGER} (2^53 - 1), which can't be stored ` +
    'exactly; send it as a string.'
  )
}

/**
 * The place of the first number that is not kept exactly, such as `metadata.sizes[2]`; undefined where all
 * are. It does not recurse, so that no nesting of the value is too deep for it.
 */
export function findInexact(value: unknown, path: string): string | undefined {
  const left: [unknown, string][] = [[value, path]]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [inner, place] = next
    if (typeof inner === 'number' && !isExact(inner)) return place
    if (typeof inner !== 'object' || inner === null) continue
    const isList = Array.isArray(inner)
    const entries = Object.entries(inner).reverse()
    for (const [key, item] of entries) {
      if (typeof item === 'number' || typeof item === 'object')
        left.push([item, isList ? `${place}[${key}]` : `${place}.${key}`])
    }
  }
  return undefined
}
