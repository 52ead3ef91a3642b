import { signal } from '@preact/signals'
import type { Answer } from '../../src/client/client.js'
import { call, messageOf } from './connection.js'

export type Collection = Answer<'/v1/collections', 'get'>['collections'][number]

/** The collections of the service; undefined until they are known. */
export const collections = signal<Collection[] | undefined>()
/** Why they are not known. */
export const collectionsProblem = signal<string | undefined>()

/** How often they were asked for, and which of these answers is shown. */
const turns = { asked: 0, shown: 0 }

/**
 * Asks the service for its collections again. An answer to an earlier call that comes after that to a later
 * one is dropped.
 */
export async function loadCollections(): Promise<void> {
  const turn = ++turns.asked
  const answer = await call((client) => client.get('/v1/collections')).catch((error: unknown) => ({
    problem: messageOf(error)
  }))
  if (turn < turns.shown) return
  turns.shown = turn
  if ('collections' in answer) collections.value = answer.collections
  collectionsProblem.value = 'problem' in answer ? answer.problem : undefined
}
