/** A label with its score. */
export interface Hit {
  label: number
  /** The cosine, -1 to 1. */
  score: number
}

/** Equal scores are told apart by label, so that pages of a search fit together. */
function isWorse(a: Hit, b: Hit): boolean {
  return a.score < b.score || (a.score === b.score && a.label > b.label)
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
    } else if (this.#k > 0 && score >= heap[0].score && isWorse(heap[0], { label, score })) {
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
      if (!isWorse(heap[position], heap[parent])) return
      ;[heap[parent], heap[position]] = [heap[position], heap[parent]]
      position = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let position = 0; ;) {
      const left = 2 * position + 1
      if (left >= heap.length) return
      const worse = left + 1 < heap.length && isWorse(heap[left + 1], heap[left]) ? left + 1 : left
      if (!isWorse(heap[worse], heap[position])) return
      ;[heap[position], heap[worse]] = [heap[worse], heap[position]]
      position = worse
    }
  }
}
