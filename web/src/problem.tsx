import type { ComponentChildren } from 'preact'
import { Icon } from './icon.js'

interface ProblemProps {
  message: string
  retry?: () => void
  /** Other ways out. */
  children?: ComponentChildren
}

/** Says what went wrong and how to continue. Screen readers hear it at once. */
export function Problem({ message, retry, children }: ProblemProps) {
  return (
    <div class="problem" role="alert">
      <Icon name="warning" />
      <p>{message}</p>
      {children}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}
