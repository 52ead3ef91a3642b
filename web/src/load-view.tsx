import { useSignal } from '@preact/signals'
import type { ComponentType, FunctionComponent } from 'preact'
import { useEffect } from 'preact/hooks'
import { Problem } from './problem.js'

/**
 * A view whose code is asked for when it is first shown. In place of `lazy` of preact/compat, which makes the
 * change events of every field of the page come at each key.
 */
export function loadView(load: () => Promise<ComponentType>): FunctionComponent {
  let Loaded: ComponentType | undefined
  return function View() {
    const state = useSignal<'loading' | 'loaded' | 'failed'>(Loaded ? 'loaded' : 'loading')
    useEffect(() => {
      if (Loaded) return
      load().then(
        (view) => {
          Loaded = view
          state.value = 'loaded'
        },
        () => (state.value = 'failed')
      )
    }, [])
    // A module that failed once fails again: the page is asked for again, which may be of another build.
    if (state.value === 'failed')
      return (
        <Problem
          message="This view can't be loaded. Is the service still running?"
          retry={() => location.reload()}
        />
      )
    return Loaded ? (
      <Loaded />
    ) : (
      <p class="busy" role="status">
        Loading
      </p>
    )
  }
}
