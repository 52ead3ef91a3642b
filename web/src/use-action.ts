import { useSignal } from '@preact/signals'
import { isAbort } from './connection.js'

/**
 * Something that is done by a button: whether it is under way, and what it failed by. Meanwhile the button is
 * `aria-disabled`: `disabled` would lose the focus.
 */
export function useAction(run: () => Promise<void>) {
  const isBusy = useSignal(false)
  const error = useSignal<unknown>(undefined)
  const start = async () => {
    if (isBusy.value) return
    isBusy.value = true
    error.value = undefined
    try {
      await run()
    } catch (thrown) {
      if (!isAbort(thrown)) error.value = thrown
    } finally {
      isBusy.value = false
    }
  }
  return { start: () => void start(), isBusy: isBusy.value, error: error.value }
}
