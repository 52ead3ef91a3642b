import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

/**
 * How long typing must pause before it is searched, in milliseconds. Browsers bound how often a link may
 * change, too.
 */
const PAUSE_MS = 80
/**
 * The same for what is not shown as it is typed, in milliseconds: Safari lets a link change 100 times in 30
 * seconds.
 */
export const LONG_PAUSE_MS = 300

interface TypedOptions {
  pauseMs?: number
  /** What the link has of a text, where that is not all of it. */
  linkedOf?: (text: string) => string
}

export interface Typed {
  text: string
  type(text: string): void
  /** Hands on at once what was typed; what is typed next is another step of the history. */
  settle(): void
}

/** The words in a box: what was typed a moment ago, or what the link has. */
export function useTyped(
  linked: string,
  commit: (text: string, options: { replace: boolean }) => void,
  { pauseMs = PAUSE_MS, linkedOf = (text) => text }: TypedOptions = {}
): Typed {
  const text = useSignal(linked)
  const committed = useRef(linked)
  const isNewStep = useRef(true)
  const timer = useRef(0)
  const latest = useRef(commit)
  latest.current = commit
  useEffect(() => {
    // A link that was followed, not the one that was just written.
    if (linked === linkedOf(committed.current)) return
    clearTimeout(timer.current)
    committed.current = linked
    isNewStep.current = true
    text.value = linked
  }, [linked])
  useEffect(() => () => clearTimeout(timer.current), [])
  const write = () => {
    if (text.peek() === committed.current) return
    committed.current = text.peek()
    latest.current(committed.current, { replace: !isNewStep.current })
    isNewStep.current = false
  }
  return {
    text: text.value,
    type: (typed) => {
      text.value = typed
      clearTimeout(timer.current)
      timer.current = window.setTimeout(write, pauseMs)
    },
    settle: () => {
      clearTimeout(timer.current)
      write()
      isNewStep.current = true
    }
  }
}
