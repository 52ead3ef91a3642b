import type { Fault } from '../../files/fault.js'

/** A record in the making. */
export interface Item {
  id: string
  /** Where its image is. */
  path?: string
  text?: string
  metadata?: Record<string, unknown>
}

export type Found = Item | Fault

/** Records in the making, one after the other, and what was found beside them. */
export interface Source {
  items: AsyncIterable<Found>
  /** Whether it is all that there is below a folder, so that what it lacks is gone. */
  isWhole?: boolean
  /** How many there are, where that can be told beforehand without reading them. */
  count?: (signal: AbortSignal) => Promise<number>
}

/** All of what is found, of which the first is there already; undefined where nothing is. */
export async function anyOf(items: AsyncIterable<Found>): Promise<AsyncIterable<Found> | undefined> {
  const rest = items[Symbol.asyncIterator]()
  const { done, value } = await rest.next()
  if (done) return undefined
  return (async function* () {
    yield value
    yield* { [Symbol.asyncIterator]: () => rest }
  })()
}

/** Most bytes of an id, as the API has it. */
const MAX_ID_BYTES = 255
const CONTROL = /[\u0000-\u001f\u007f]/

/** Why something can't be an id, or undefined. */
export function idFault(id: string): string | undefined {
  if (id === '') return 'The id is missing.'
  if (CONTROL.test(id))
    return 'The file name has control characters, which are not allowed in ids; rename the file.'
  if (Buffer.byteLength(id) > MAX_ID_BYTES)
    return (
      `The path is longer than the ${MAX_ID_BYTES} bytes allowed for ids; index a folder further ` +
      'down, with --prefix.'
    )
  return undefined
}
