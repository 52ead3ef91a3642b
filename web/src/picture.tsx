import { useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { apiKey, isLocked } from './connection.js'
import { fetchPicture } from './fetch-picture.js'
import { seen } from './seen.js'

interface PictureProps {
  /** The path of a kept image, `image_url` of a match. */
  path: string
  alt: string
  /** A small one for grids, or the image as it was sent. */
  size?: 'thumbnail' | 'original'
}

/**
 * A kept image. With a key it is fetched once it is about to be seen, since an `img` can't carry one; so is
 * one that the browser did not get, since an `img` does not tell whether the service was only too busy.
 */
export function Picture({ path, alt, size = 'thumbnail' }: PictureProps) {
  const address = size === 'thumbnail' ? `${path}?size=thumbnail` : path
  const key = apiKey.value
  const place = useRef<HTMLElement>(null)
  const fetched = useSignal<string | undefined>(undefined)
  const refused = useSignal<string | undefined>(undefined)
  const gone = useSignal<string | undefined>(undefined)
  // More calls without a key would only be counted against the caller.
  const isHeld = key === '' && isLocked.value
  const isFetched = key !== '' || (refused.value === address && !isHeld)
  useEffect(() => {
    gone.value = undefined
    if (!isFetched) return
    const stop = new AbortController()
    const { signal } = stop
    let url: string | undefined
    seen(place.current!, signal)
      .then(() => fetchPicture(address, { key, signal }))
      .then((image) => (fetched.value = url = URL.createObjectURL(image)))
      .catch(() => {
        if (!signal.aborted) gone.value = address
      })
    return () => {
      stop.abort()
      fetched.value = undefined
      if (url) URL.revokeObjectURL(url)
    }
  }, [address, key, isFetched])
  const source = isFetched ? fetched.value : isHeld ? undefined : address
  if (gone.value === address)
    return (
      <span ref={place} class="no-picture">
        {alt || 'no picture'}
      </span>
    )
  const fail = () => {
    if (source !== undefined) (isFetched ? gone : refused).value = address
  }
  return (
    <img
      ref={place as RefObject<HTMLImageElement>}
      src={source}
      alt={alt}
      loading="lazy"
      decoding="async"
      onError={fail}
    />
  )
}
