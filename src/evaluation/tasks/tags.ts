/** Items of a tag for it to have figures of its own. */
export const LEAST_TAGGED = 5

/** The items of each tag that has enough of them, by tag. */
export function itemsByTag(tags: (string | undefined)[]): Map<string, number[]> {
  const items = new Map<string, number[]>()
  tags.forEach((tag, i) => {
    if (tag !== undefined && tag !== '') items.set(tag, [...(items.get(tag) ?? []), i])
  })
  return new Map(
    [...items].filter(([, { length }]) => length >= LEAST_TAGGED).sort(([a], [b]) => (a < b ? -1 : 1))
  )
}

/** Values at some places. */
export function at(values: Float64Array, places: number[]): Float64Array {
  return Float64Array.from(places, (i) => values[i])
}
