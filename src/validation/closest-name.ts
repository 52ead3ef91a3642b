/** Longest name that is compared: what is longer is no slip of the pen. */
const LONGEST = 40

/**
 * The name that was probably meant: the closest one within two edits (one for short names), if there is any.
 */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined
  const plain = fold(name)
  let best: { name: string; edits: number } | undefined
  for (const candidate of known) {
    const edits = editDistance(plain, fold(candidate))
    if (edits <= (candidate.length < 5 ? 1 : 2) && edits < (best?.edits ?? Infinity))
      best = { name: candidate, edits }
  }
  return best?.name
}

/** `imageUrl`, `image-url` and `image_url` are one name. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that lead from one text to another (optimal
 * string alignment).
 */
function editDistance(a: string, b: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, replaced)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1)
    }
    ;[beforeLast, last] = [last, row]
  }
  return last[b.length]
}
