import type { Test } from 'tap'
import type { Api } from '../../fixtures/server.js'
import { uniform } from '../../fixtures/random.js'

/** One kind of load: what it writes until the service is gone, and what must hold when that is back. */
export interface Load {
  /** Makes what it needs, once. */
  prepare(api: Api): Promise<void>
  /** Writes until the service is gone. */
  run(service: { api: Api; url: string }): Promise<void>
  /** Checks what is there against what was acknowledged. */
  check(t: Test, api: Api): Promise<void>
  /** How many changes were acknowledged. */
  acknowledged(): number
}

export const DIMENSION = 16

/** The 32-bit FNV-1a hash of a text: http://www.isthe.com/chongo/tech/comp/fnv/. */
export function hashOf(text: string): number {
  return [...text].reduce(
    (hash, character) => Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0,
    0x811c9dc5
  )
}

/** The next of a row of 32-bit numbers, by the linear congruence of Numerical Recipes. */
export function step(state: number): number {
  return (Math.imul(state, 1664525) + 1013904223) >>> 0
}

/** A unit vector that an id and its version stand for. */
export function vectorOf(id: string, version: number): number[] {
  let state = hashOf(`${id}/${version}`)
  const vector = Array.from({ length: DIMENSION }, () => (state = step(state)) / 2 ** 31 - 1)
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

/** A record whose embedding follows from its id and version. */
export function recordOf(id: string, version: number): object {
  return { id, metadata: { version }, embeddings: { image: vectorOf(id, version) } }
}

/** The answer to a call; undefined where the service went away. Throws for an answer that is no success. */
export async function answerTo(call: ReturnType<Api>): Promise<Awaited<ReturnType<Api>> | undefined> {
  const answer = await call.catch(() => undefined)
  if (answer && answer.status >= 300) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer
}

/** Every record of a collection: id and version. */
export async function storedIn(api: Api, path: string): Promise<Map<string, number>> {
  const stored = new Map<string, number>()
  for (let cursor: string | null = ''; cursor !== null;) {
    const {
      body
    }: { body: { records: { id: string; metadata: { version: number } }[]; next_cursor: string | null } } =
      await api('GET', `${path}/records?limit=1000${cursor && `&cursor=${cursor}`}`)
    for (const { id, metadata } of body.records) stored.set(id, metadata.version)
    cursor = body.next_cursor
  }
  return stored
}

/** So many of a list, at random. */
export function sample<T>(values: Iterable<T>, count: number): T[] {
  const list = [...values]
  for (let i = 0; i < Math.min(count, list.length); i++) {
    const other = i + Math.floor(uniform() * (list.length - i))
    ;[list[i], list[other]] = [list[other], list[i]]
  }
  return list.slice(0, count)
}
