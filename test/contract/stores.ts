import type { Test } from 'tap'
import { openStore } from '../../src/collections/open-store.js'
import type { Store } from '../../src/collections/stores/store.js'

/** A store that begins empty, and can be closed and opened again with what it keeps. */
export interface TestStore {
  readonly store: Store
  reopen(): Promise<Store>
}

/** What opens each kind of store there is; it is closed when the test ends. */
const stores: Record<string, (t: Test) => Promise<TestStore>> = {
  'data folder': async (t) => {
    const dataDir = t.testdir()
    const store = await openStore({ dataDir })
    let latest = store
    t.teardown(() => latest.close())
    const reopen = async () => {
      await latest.close()
      return (latest = await openStore({ dataDir }))
    }
    return { store, reopen }
  }
}

/** Adds a test of what every store promises, once for each kind of store. */
export function testStores(
  t: Test,
  promise: string,
  test: (t: Test, opened: TestStore) => Promise<void>
): void {
  for (const [kind, open] of Object.entries(stores))
    t.test(`${kind}: ${promise}`, async (t) => test(t, await open(t)))
}
