import { threadId } from 'node:worker_threads'

/** Counted in units of so many bytes, so that the counts fit 32 bits. */
const UNIT_BYTES = 2 ** 16
/**
 * Pictures that take less are not counted: thousands of them make no peak, and would wait behind large ones.
 */
const LEAST_BYTES = 2 ** 24
/**
 * Others that may take memory while a picture waits; then it is the first, and all others wait until it is
 * in.
 */
const MOST_OVERTAKING = 16
/**
 * Units that are free, and that there are; how often some were taken (it may wrap around); the thread that is
 * the first, or 0.
 */
const [FREE, TOTAL, TAKEN, FIRST] = [0, 1, 2, 3]
/** The main thread's is 0. */
const OWN = threadId + 1

/** Memory that all image threads together may take for decoded pictures, and whose turn it is. */
export type DecodeMemory = Int32Array<SharedArrayBuffer>

/** As much memory as so many bytes, none of it taken. */
export function createDecodeMemory(bytes: number): DecodeMemory {
  return new Int32Array(new SharedArrayBuffer(16)).fill(Math.ceil(bytes / UNIT_BYTES), FREE, TOTAL + 1)
}

/**
 * Frees all of it, and the turn: a thread that died gives nothing back. One that lives takes its turn again.
 * What others give back beyond the whole is left out.
 */
export function freeAll(memory: DecodeMemory): void {
  Atomics.store(memory, FREE, memory[TOTAL])
  Atomics.store(memory, FIRST, 0)
  for (const changed of [FREE, FIRST]) Atomics.notify(memory, changed)
}

/**
 * Runs work that may reserve memory before it takes it, and frees that when the work is over. To reserve
 * holds the thread until there is enough; what is more than there is at all waits until everything is free. A
 * large picture may be overtaken by smaller ones, which use what it can't, but not for ever: after 16 of them
 * the others wait for it.
 */
export async function withMemory<T>(
  memory: DecodeMemory,
  work: (reserve: (bytes: number) => void) => Promise<T>
): Promise<T> {
  let held = 0
  const reserve = (bytes: number) => {
    if (bytes < LEAST_BYTES) return
    const units = Math.min(Math.ceil(bytes / UNIT_BYTES), memory[TOTAL])
    take(memory, units, held > 0)
    held += units
  }
  try {
    return await work(reserve)
  } finally {
    if (held > 0) give(memory, held)
  }
}

/** Who holds some already waits for no turn: the first may be waiting for what it holds. */
function take(memory: DecodeMemory, units: number, isHolding: boolean): void {
  const takenBefore = Atomics.load(memory, TAKEN)
  for (;;) {
    const first = Atomics.load(memory, FIRST)
    if (first !== 0 && first !== OWN && !isHolding) {
      Atomics.wait(memory, FIRST, first)
      continue
    }
    const free = Atomics.load(memory, FREE)
    if (free >= units) {
      if (Atomics.compareExchange(memory, FREE, free, free - units) === free) break
    } else if (first === 0 && ((Atomics.load(memory, TAKEN) - takenBefore) | 0) >= MOST_OVERTAKING) {
      Atomics.compareExchange(memory, FIRST, 0, OWN)
    } else Atomics.wait(memory, FREE, free)
  }
  Atomics.add(memory, TAKEN, 1)
  if (Atomics.compareExchange(memory, FIRST, OWN, 0) === OWN) Atomics.notify(memory, FIRST)
}

function give(memory: DecodeMemory, units: number): void {
  for (;;) {
    const free = Atomics.load(memory, FREE)
    if (Atomics.compareExchange(memory, FREE, free, Math.min(free + units, memory[TOTAL])) !== free) continue
    Atomics.notify(memory, FREE)
    return
  }
}
