/** What a store lost: commits that were acknowledged and are not in it any more. */
export interface Setback {
  commits: number
  /** When the last commit that is lost was made, and the last that is there; milliseconds since 1970. */
  lostUntil: number
  keptUntil: number | null
  /** When it was noticed. */
  noticedAt: number
}

/** What was lost, as a sentence. */
export function describeSetback({ commits, lostUntil, keptUntil }: Setback): string {
  const time = (at: number) => new Date(at).toISOString()
  const kept =
    keptUntil === null ? 'no commit is left' : `the last commit that is left is from ${time(keptUntil)}`
  return (
    `the store lost commits: ${commits} acknowledged ${commits === 1 ? 'commit' : 'commits'} ` +
    `until ${time(lostUntil)} ${commits === 1 ? 'is' : 'are'} missing; ${kept}`
  )
}
