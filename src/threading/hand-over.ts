import { move, transferableSymbol, valueSymbol } from 'piscina'
import { createYielder } from './yield-to-event-loop.js'

/** From this size on it is faster to copy a buffer and transfer the copy than to clone it. */
const MIN_BYTES = 16 * 1024

/** A call's argument or answer whose memory is transferred to the other thread instead of cloned. */
export function handOver<A extends object>(value: A, memory: ArrayBuffer[]): A {
  const transferred = memory.filter(({ byteLength }) => byteLength > 0)
  if (transferred.length === 0) return value
  return move({ [transferableSymbol]: transferred, [valueSymbol]: value }) as A
}

/**
 * Copies a value whose large buffers another thread is to have, step by step: `handOver` then transfers
 * the copies. `postMessage` would clone them in one go, which held the thread for 350 ms for 46 MB of images
 * and embeddings. The sender keeps its own buffers, and may send them again. Small buffers are not copied.
 */
export async function copyBuffers<A>(value: A): Promise<{ copy: A; memory: ArrayBuffer[] }> {
  const places: Place[] = []
  const root = copyHolders({ value }, places) as { value: A }
  const yieldToEventLoop = createYielder()
  const memory: ArrayBuffer[] = []
  // Allocated one by one, too: the pages of new memory are cleared at once.
  for (const { holder, name } of places) {
    const source = holder[name]
    const copy =
      source instanceof Float32Array ? new Float32Array(source) : new Uint8Array(source as Uint8Array)
    holder[name] = copy
    memory.push(copy.buffer)
    await yieldToEventLoop()
  }
  return { copy: root.value, memory }
}

/** Where a large buffer is held: in a field of an object or at an index of an array. */
interface Place {
  holder: Record<string, unknown>
  name: string
}

/** The value with new objects and arrays, which still hold its buffers; `places` lists the large ones. */
function copyHolders(value: unknown, places: Place[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value
  const holder = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
  for (const [name, item] of Object.entries(holder)) {
    const isLarge =
      (item instanceof Float32Array || item instanceof Uint8Array) && item.byteLength >= MIN_BYTES
    if (isLarge) places.push({ holder, name })
    else holder[name] = copyHolders(item, places)
  }
  return holder
}
