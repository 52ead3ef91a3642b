import { useAddress } from './address.js'

/** Says so where the link lacks some of what is asked. */
export function LinkNote() {
  const { isCut } = useAddress()
  return (
    <p class={isCut ? 'muted' : 'visually-hidden'} role="status">
      {isCut &&
        'This is too much for a link: it stays in this tab, and a copy of the link has not all of it.'}
    </p>
  )
}
