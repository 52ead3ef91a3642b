import { createHash } from 'node:crypto'
import type { BulkLoad, FailedLine } from '../../collections/stores/bulk-load.js'
import { IdempotencyKeyReused, InvalidRequest } from '../../errors.js'
import type { RawLine } from './lines.js'

export interface LedgerOptions {
  /** The number of the first line that is sent. */
  firstLine: number
  /** Set for a stream that can be resumed; what is known of its load, if it was begun. */
  resumed?: { load?: BulkLoad; failed: FailedLine[] }
}

/** How far a stream is: its last line, and the digest of all lines up to it. */
export type Checkpoint = Pick<BulkLoad, 'lines' | 'digest'>

/**
 * Numbers the lines of a stream, and of one that can be resumed tells which were answered before. A digest of
 * all lines so far, each joined to that of the ones before it, shows a stream that is not the one that the
 * load was begun with.
 */
export class LineLedger {
  readonly #isResumable: boolean
  readonly #known: Pick<BulkLoad, 'lines' | 'digest' | 'completed'>
  readonly #failed: Map<number, string>
  #line: number
  readonly #before: number
  /** Undefined while lines are passed over that were not sent. */
  #digest: string | undefined
  /** The lines of the last step. */
  #answered: number

  /** Throws INVALID_REQUEST where lines would be left out. */
  constructor({ firstLine, resumed }: LedgerOptions) {
    this.#isResumable = resumed !== undefined
    this.#known = resumed?.load ?? { lines: 0, digest: '', completed: false }
    this.#failed = new Map(resumed?.failed.map(({ line, body }) => [line, body]))
    this.#line = firstLine - 1
    if (this.#isResumable && this.#line > this.#known.lines) {
      throw new InvalidRequest(
        `from_line must be at most ${this.#known.lines + 1}, not ${firstLine}: ${this.#known.lines} ` +
          'lines are loaded under this Idempotency-Key, and no line may be skipped.'
      )
    }
    this.#before = Math.max(this.#line, this.#known.lines)
    this.#answered = this.#known.lines
    this.#digest = this.#line === 0 ? '' : undefined
    if (this.#line === this.#known.lines) this.#digest = this.#known.digest
  }

  /**
   * The last line that needs no answer of this stream: those before it were answered by another one, or are
   * not sent.
   */
  get before(): number {
    return this.#before
  }

  /**
   * Takes the next line in; its number, and what it was answered if it was before. Throws
   * IDEMPOTENCY_KEY_REUSED.
   */
  next(line: RawLine): { number: number; answer?: string } {
    const number = ++this.#line
    if (!this.#isResumable) return { number }
    if (this.#digest !== undefined) this.#digest = join(this.#digest, line)
    const { lines, digest } = this.#known
    if (number > lines) return { number }
    if (number === lines) {
      if (this.#digest !== undefined && this.#digest !== digest)
        throw new IdempotencyKeyReused(
          `The lines up to ${lines} differ from those that were loaded under this Idempotency-Key; use ` +
            'another key for another load.'
        )
      this.#digest = digest
    }
    return { number, answer: this.#failed.get(number) ?? `{"line":${number},"status":"skipped"}` }
  }

  /** Where the stream is now. */
  checkpoint(): Checkpoint {
    return { lines: this.#line, digest: this.#digest! }
  }

  /** The step from the last one up to a checkpoint. */
  step(checkpoint: Checkpoint): Checkpoint & { from: number } {
    const step = { from: this.#answered, ...checkpoint }
    this.#answered = checkpoint.lines
    return step
  }

  /**
   * The step that ends the load; undefined where nothing is new. Throws IDEMPOTENCY_KEY_REUSED for a stream
   * that ended early.
   */
  lastStep(): ReturnType<LineLedger['step']> | undefined {
    const { lines, completed } = this.#known
    if (this.#line < lines)
      throw new IdempotencyKeyReused(
        `${lines} lines were loaded under this Idempotency-Key, but this stream ended at line ` +
          `${this.#line}; use another key for another load.`
      )
    return completed && this.#answered === this.#line && this.#line === lines
      ? undefined
      : this.step(this.checkpoint())
  }
}

function join(digest: string, line: RawLine): string {
  return createHash('sha256')
    .update(digest)
    .update('bytes' in line ? line.bytes : '')
    .digest('hex')
}
