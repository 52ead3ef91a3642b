/** What a record may be: a version of it, or null where it is gone. */
export type State = number | null

/**
 * A model of what a service has acknowledged. A change without an answer leaves two states that are right,
 * until one of them has been seen.
 */
export class Acknowledged {
  /** Changes that were acknowledged. */
  count = 0
  readonly #states = new Map<string, Set<State>>()

  /**
   * Notes changes that are about to be sent; the function it returns notes the answer, to all of them or to
   * some.
   */
  attempt(outcome: ReadonlyMap<string, State>): (ids?: Iterable<string>) => void {
    for (const [id, state] of outcome)
      this.#states.set(id, new Set([...(this.#states.get(id) ?? [null]), state]))
    return (ids = outcome.keys()) => {
      for (const id of ids) {
        this.#states.set(id, new Set([outcome.get(id)!]))
        this.count++
      }
    }
  }

  /** Whether a record may be gone, for all that is known. */
  mayBeGone(id: string): boolean {
    return this.#states.get(id)?.has(null) ?? true
  }

  /** How many ids were ever sent. */
  get size(): number {
    return this.#states.size
  }

  /**
   * Compares with what is stored, and takes that for what is. Returns the ids that are not as they may be.
   */
  settle(stored: ReadonlyMap<string, number>): { wrong: string[]; ghosts: string[] } {
    const wrong = [...this.#states]
      .filter(([id, allowed]) => !allowed.has(stored.get(id) ?? null))
      .map(([id]) => id)
    const ghosts = [...stored.keys()].filter((id) => !this.#states.has(id))
    for (const id of this.#states.keys()) this.#states.set(id, new Set([stored.get(id) ?? null]))
    return { wrong, ghosts }
  }
}
