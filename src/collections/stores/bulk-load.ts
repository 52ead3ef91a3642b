/** How far a bulk load under an idempotency key is. */
export interface BulkLoad {
  /** Lines that are answered for good: written, or refused. */
  lines: number
  /** What these lines were, as their sender's digest of them. */
  digest: string
  created: number
  updated: number
  failed: number
  /** Whether a stream under the key was read to its end. */
  completed: boolean
  /** Milliseconds since 1970. */
  updatedAt: number
}

/** A line that was refused, and what it was answered. */
export interface FailedLine {
  line: number
  body: string
}

/** A step of a bulk load; it commits together with the records of its lines. */
export interface BulkLoadStep {
  key: string
  /** The lines that were answered before, which is checked: two streams must not both go on from there. */
  from: number
  /** The lines that are answered with it. */
  lines: number
  digest: string
  failed: FailedLine[]
  completed: boolean
}
