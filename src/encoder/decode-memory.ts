/** Counted in units of so many bytes, so that the counts fit 32 bits. */
const UNIT_BYTES = 2 ** 16
/** Pictures that take less are not counted: thousands of them make no peak, and would wait behind large ones. */
const LEAST_BYTES = 2 ** 24
const [FREE, TOTAL] = [0, 1]

/** Memory that all image threads together may take for decoded pictures: how much is free, and how much there is. */
export type DecodeMemory = Int32Array<SharedArrayBuffer>

/** As much memory as so many bytes, none of it taken. */
export function createDecodeMemory(bytes: number): DecodeMemory {
  return new Int32Array(new SharedArrayBuffer(8)).fill(Math.ceil(bytes / UNIT_BYTES))
}

/** Frees all of it: a thread that died gives nothing back. What others give back beyond the whole is left out. */
export function freeAll(memory: DecodeMemory): void {
  Atomics.store(memory, FREE, memory[TOTAL])
  Atomics.notify(memory, FREE)
}

/**
 * Runs work that may reserve memory before it takes it, and frees that when the work is over. To reserve holds the
 * thread until there is enough; what is more than there is at all waits until everything is free. No turns are kept, which a
 * dead thread would keep for ever: a large picture gets in since the threads of others that wait take nothing either.
 */
export async function withMemory<T>(memory: DecodeMemory, work: (reserve: (bytes: number) => void) => Promise<T>): Promise<T> {
  let held = 0
  const reserve = (bytes: number) => {
    if (bytes < LEAST_BYTES) return
    const units = Math.min(Math.ceil(bytes / UNIT_BYTES), memory[TOTAL])
    take(memory, units)
    held += units
  }
  try {
    return await work(reserve)
  } finally {
    if (held > 0) give(memory, held)
  }
}

function take(memory: DecodeMemory, units: number): void {
  for (;;) {
    const free = Atomics.load(memory, FREE)
    if (free < units) Atomics.wait(memory, FREE, free)
    else if (Atomics.compareExchange(memory, FREE, free, free - units) === free) return
  }
}

function give(memory: DecodeMemory, units: number): void {
  for (;;) {
    const free = Atomics.load(memory, FREE)
    if (Atomics.compareExchange(memory, FREE, free, Math.min(free + units, memory[TOTAL])) !== free) continue
    Atomics.notify(memory, FREE)
    return
  }
}
