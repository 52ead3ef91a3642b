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
  const copies: Copy[] = []
  const copied = withCopies(value, copies) as A
  const yieldToEventLoop = createYielder()
  for (const { copy, source } of copies) {
    copy.set(source)
    await yieldToEventLoop()
  }
  return { copy: copied, memory: copies.map(({ copy }) => copy.buffer) }
}

interface Copy {
  copy: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>
  source: Float32Array | Uint8Array
}

/** The value with new, still empty buffers in place of its large ones; `copies` lists both. */
function withCopies(value: unknown, copies: Copy[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => withCopies(item, copies))
  if (value instanceof Float32Array || value instanceof Uint8Array) {
    if (value.byteLength < MIN_BYTES) return value
    const copy = new (value instanceof Float32Array ? Float32Array : Uint8Array)(value.length)
    copies.push({ copy, source: value })
    return copy
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withCopies(item, copies)]))
}
