import { computed, signal } from '@preact/signals'
import { createClient, type Client } from '../../src/client/client.js'
import { SemblanceError } from '../../src/client/semblance-error.js'

/** Where a key is kept: for this tab, or on this device if the user wants it remembered. */
const STORED_AS = 'semblance.key'

/** The API key in use; empty where none was entered. */
export const apiKey = signal(sessionStorage.getItem(STORED_AS) ?? localStorage.getItem(STORED_AS) ?? '')

/** Whether the service is known to answer nothing without a key. */
export const isLocked = signal(false)

/** Why a key is asked for, while it is. */
export const keyWanted = signal<string | undefined>()

/** The service that this page came from, called with the key. */
export const client = computed<Client>(() =>
  createClient({ url: location.origin, ...(apiKey.value && { apiKey: apiKey.value }) })
)

let answered: (entered: boolean) => void = () => {}
let prompt: Promise<boolean> | undefined

/** Asks for a key, once for all who want one; false when the user would not. */
export function askForKey(why: string): Promise<boolean> {
  prompt ??= new Promise<boolean>((resolve) => {
    answered = resolve
    keyWanted.value = why
  }).finally(() => {
    prompt = undefined
    keyWanted.value = undefined
  })
  return prompt
}

/** Ends asking: with a key, or with none. */
export function enterKey(key: string | undefined, { remember = false } = {}): void {
  if (key !== undefined) {
    localStorage.removeItem(STORED_AS)
    sessionStorage.removeItem(STORED_AS)
    if (key !== '') (remember ? localStorage : sessionStorage).setItem(STORED_AS, key)
    // Who forgets a key had use of it; what shows itself without one is seen by the next answer.
    if (key === '') isLocked.value = apiKey.peek() !== ''
    apiKey.value = key
    // What was kept of collections goes with the key to them.
    if (key === '') indexedDB.deleteDatabase('keyval-store')
  }
  answered(key !== undefined)
}

/**
 * Calls the service; where it wants a key, asks for one and calls again. Throws what the service says, or
 * that it can't be reached.
 */
export async function call<T>(run: (client: Client) => Promise<T>): Promise<T> {
  for (;;) {
    const used = apiKey.peek()
    try {
      const answer = await run(client.peek())
      if (used === '') isLocked.value = false
      return answer
    } catch (error) {
      if (!(error instanceof SemblanceError) || error.status !== 401) throw error
      isLocked.value = true
      // Another call may have asked meanwhile.
      if (apiKey.peek() !== used) continue
      if (!(await askForKey(used === '' ? 'This service requires an API key.' : error.message))) throw error
    }
  }
}

/** What to tell of an error. */
export function messageOf(error: unknown): string {
  if (error instanceof SemblanceError) return error.message
  if (error instanceof TypeError && /fetch|network/i.test(error.message))
    return 'The service cannot be reached. Is it still running?'
  return error instanceof Error ? error.message : String(error)
}

/** Whether an error is only that no one waits any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}
