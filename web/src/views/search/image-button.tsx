import { useRef } from 'preact/hooks'
import { Icon } from '../../icon.js'

/** Chooses pictures to search by. */
export function ImageButton({
  onImages,
  isDisabled
}: {
  onImages: (files: File[]) => void
  isDisabled: boolean
}) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button
        type="button"
        class="icon-button"
        aria-label="Search by a picture"
        title="Search by a picture: choose one, drop it anywhere, or paste it"
        disabled={isDisabled}
        onClick={() => input.current?.click()}
      >
        <Icon name="image" />
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          onImages([...(currentTarget.files ?? [])])
          // The same file again is a change too.
          currentTarget.value = ''
        }}
      />
    </>
  )
}
