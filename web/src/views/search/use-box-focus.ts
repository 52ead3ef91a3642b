import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Brings the focus to the box: by the key `/`, and at the start if wanted. */
export function useBoxFocus(box: RefObject<HTMLInputElement>, { atStart }: { atStart: boolean }): void {
  useEffect(() => {
    // Not on phones, where the keyboard would cover the page.
    if (atStart && matchMedia('(pointer: fine)').matches) box.current?.focus({ preventScroll: true })
    const onKey = (event: KeyboardEvent) => {
      if (
        event.key !== '/' ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        isTyping(event.target) ||
        document.querySelector('dialog[open]')
      )
        return
      event.preventDefault()
      box.current?.select()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
