import { useSignal } from '@preact/signals'
import { Icon } from '../../icon.js'

/** How much of a fingerprint is told apart by eye. */
const SHORT = 12
const COPIED_MS = 2000

/** The digest that an encoder is known by: short, and whole to copy. */
export function Fingerprint({ value }: { value: string }) {
  const isCopied = useSignal(false)
  const copy = async () => {
    await navigator.clipboard.writeText(value)
    isCopied.value = true
    setTimeout(() => (isCopied.value = false), COPIED_MS)
  }
  return (
    <span class="fingerprint">
      <code title={value}>{value.slice(0, SHORT)}</code>
      {/* Not there where the page came over plain HTTP from another machine. */}
      {'clipboard' in navigator && (
        <button
          type="button"
          class="icon-button"
          aria-label="Copy the fingerprint"
          title="Copy the whole of it"
          onClick={() => void copy()}
        >
          <Icon name={isCopied.value ? 'check' : 'copy'} />
        </button>
      )}
      <span class="visually-hidden" role="status">
        {isCopied.value ? 'Copied' : ''}
      </span>
    </span>
  )
}
