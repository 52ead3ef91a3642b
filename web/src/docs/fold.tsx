import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'

/** What is made only when it is looked at. */
export function Fold({
  title,
  isOpen: isOpenFirst = false,
  children
}: {
  title: string
  isOpen?: boolean
  children: () => ComponentChildren
}) {
  const isOpen = useSignal(isOpenFirst)
  return (
    <details
      class="fold"
      open={isOpenFirst}
      onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}
    >
      <summary>{title}</summary>
      {isOpen.value && <div class="fold-body">{children()}</div>}
    </details>
  )
}
