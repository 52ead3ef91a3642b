/** Figures up to which all of a task's are shown at once. */
const FEW = 20
/** Most of those that are shown first where there are more. */
const MOST = 24

/**
 * A label's, or that of queries for records of one kind: `bias[gender: he]`, `fusion[joint, of text only]`.
 */
const PART_OF_VARIANT = /\[[^\]]*(: |, of )/

/**
 * The figures of a task that are shown first: all where they are few; else those without a variant in
 * brackets, and the first of each variant.
 */
export function mainFigures(names: string[]): string[] {
  if (names.length <= FEW) return names
  const seen = new Set<string>()
  const firsts = names.filter((name) => {
    const group = name.slice(0, name.lastIndexOf('.'))
    const isFirst = !name.includes('[') || !seen.has(group)
    seen.add(group)
    return isFirst
  })
  return firsts.length <= MOST ? firsts : firsts.filter((name) => !PART_OF_VARIANT.test(name)).slice(0, MOST)
}
