/** What a failure is told as. */
export interface Failure {
  name: string
  code?: string
  message: string
}

/** What became of a run. */
export interface Tally {
  created: number
  updated: number
  unchanged: number
  failed: number
  removed: number
  /** Of lines of records: the last one that was answered. */
  line?: number
  /** Whether files may be there that were not seen. */
  hides: boolean
  /** Records of folders without an image that were not pruned. */
  kept: number
  /** Images of types that are not read, by the end of their names. */
  passedOver: Map<string, number>
  /** Files of no known kind, by the end of their names. */
  unknown: Map<string, number>
  /** The first of the failures. */
  failures: Failure[]
}

/** Failures that are kept for the summary; all are told as they come. */
const MOST_FAILURES = 1000

export function newTally(): Tally {
  return {
    created: 0,
    updated: 0,
    unchanged: 0,
    failed: 0,
    removed: 0,
    hides: false,
    kept: 0,
    passedOver: new Map(),
    unknown: new Map(),
    failures: []
  }
}

export function countFailure(tally: Tally, failure: Failure): void {
  tally.failed++
  if (tally.failures.length < MOST_FAILURES) tally.failures.push(failure)
}

export function handled({ created, updated, unchanged, failed }: Tally): number {
  return created + updated + unchanged + failed
}
