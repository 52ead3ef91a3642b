import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { isImage } from '../../image-input.js'

/** Takes images that are dropped or pasted anywhere on the page; tells whether files are dragged over it. */
export function useImageDrop(onImages: (files: File[]) => void): boolean {
  const isOver = useSignal(false)
  const take = useRef(onImages)
  take.current = onImages
  useEffect(() => {
    const stop = new AbortController()
    const { signal } = stop
    const images = (files: FileList | undefined) => {
      const those = [...(files ?? [])].filter(isImage)
      if (those.length > 0) take.current(those)
      return those.length > 0
    }
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    addEventListener(
      'dragover',
      (event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        isOver.value = true
      },
      { signal }
    )
    // Also fires between elements: only what leaves the window has nowhere it goes to.
    addEventListener(
      'dragleave',
      (event) => {
        if (event.relatedTarget === null) isOver.value = false
      },
      { signal }
    )
    addEventListener(
      'drop',
      (event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        isOver.value = false
        // The service says what is wrong with a file that is no image.
        if (!images(event.dataTransfer?.files))
          take.current([...(event.dataTransfer?.files ?? [])].slice(0, 1))
      },
      { signal }
    )
    addEventListener(
      'paste',
      (event) => {
        if (images(event.clipboardData?.files)) event.preventDefault()
      },
      { signal }
    )
    return () => stop.abort()
  }, [])
  return isOver.value
}
