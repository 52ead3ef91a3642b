/** A label with its score. */
export interface Hit {
  label: number
  /** The cosine, -1 to 1. */
  score: number
}

/** Keeps the k best of a stream of hits, in a binary heap whose root is the worst kept. */
export class TopK {
  readonly #k: number
  readonly #heap: Hit[] = []

  constructor(k: number) {
    this.#k = k
  }

  /** Offers a hit. */
  push(label: number, score: number): void {
    const heap = this.#heap
    if (heap.length < this.#k) {
      heap.push({ label, score })
      this.#rise(heap.length - 1)
    } else if (this.#k > 0 && score > heap[0].score) {
      heap[0] = { label, score }
      this.#sink()
    }
  }

  /** The hits kept, best first; equal scores in the order of their labels. */
  sorted(): Hit[] {
    return [...this.#heap].sort((a, b) => b.score - a.score || a.label - b.label)
  }

  #rise(position: number): void {
    const heap = this.#heap
    while (position > 0) {
      const parent = (position - 1) >> 1
      if (heap[parent].score <= heap[position].score) return
      ;[heap[parent], heap[position]] = [heap[position], heap[parent]]
      position = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let position = 0; ; ) {
      const left = 2 * position + 1
      if (left >= heap.length) return
      const lesser = left + 1 < heap.length && heap[left + 1].score < heap[left].score ? left + 1 : left
      if (heap[position].score <= heap[lesser].score) return
      ;[heap[position], heap[lesser]] = [heap[lesser], heap[position]]
      position = lesser
    }
  }
}
