import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from './icon.js'

interface ImageInputProps {
  onImages: (files: File[]) => void
  multiple?: boolean
  /** Takes images that are pasted anywhere on the page. */
  paste?: boolean
  children?: ComponentChildren
}

/** Whether a file may be an image that the service reads: the service says what it is in the end. */
export const isImage = ({ type, name }: File) =>
  type.startsWith('image/') || /\.(jpe?g|png|webp|gif|tiff?|avif)$/i.test(name)

/** A place to drop, paste or choose images. */
export function ImageInput({
  onImages,
  multiple = false,
  paste = true,
  children = 'Drop a picture here, paste one, or choose a file'
}: ImageInputProps) {
  const isOver = useSignal(false)
  const input = useRef<HTMLInputElement>(null)
  const take = (files: Iterable<File> | undefined | null) => {
    const images = [...(files ?? [])].filter(isImage)
    if (images.length > 0) onImages(multiple ? images : images.slice(0, 1))
  }
  useEffect(() => {
    if (!paste) return
    const onPaste = (event: ClipboardEvent) => take(event.clipboardData?.files)
    addEventListener('paste', onPaste)
    return () => removeEventListener('paste', onPaste)
  })
  return (
    <button
      type="button"
      class="drop"
      data-over={isOver.value || undefined}
      onClick={() => input.current?.click()}
      onDragOver={(event) => {
        event.preventDefault()
        isOver.value = true
      }}
      onDragLeave={() => (isOver.value = false)}
      onDrop={(event) => {
        event.preventDefault()
        isOver.value = false
        take(event.dataTransfer?.files)
      }}
    >
      <Icon name="image" />
      <span>{children}</span>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple={multiple}
        hidden
        tabIndex={-1}
        aria-hidden="true"
        onClick={(event) => event.stopPropagation()}
        onChange={({ currentTarget }) => {
          take(currentTarget.files)
          // The same file again is a change too.
          currentTarget.value = ''
        }}
      />
    </button>
  )
}
