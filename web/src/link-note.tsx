import { useAddress } from './address.js'

/** Says so where the link lacks some of what is asked. */
export function LinkNote() {
  const { isCut } = useAddress()
  return (
    <p class={isCut ? 'muted' : 'visually-hidden'} role="status">
      {isCut && 'The query is too long for a link: it stays in this tab, and a copied link is incomplete.'}
    </p>
  )
}
