import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Answer } from '../../../../src/client/client.js'
import { call, isAbort } from '../../connection.js'
import type { ClassifyRequest } from './classify-request.js'

type ZeroShot = Answer<'/v1/zero-shot', 'post'>

/** The answer for one image. */
export type Scores = Omit<ZeroShot, 'labels' | 'results'> & { labels: NonNullable<ZeroShot['labels']> }

/** So long nothing must change before it is asked, in milliseconds. */
const QUIET_MS = 150

/**
 * Classifies an image whenever it or what is asked has changed; the last answer stays until the next one is
 * there.
 */
export function useZeroShot(image: Blob | undefined, request: ClassifyRequest) {
  const scores = useSignal<Scores | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const isBusy = useSignal(false)
  const tries = useSignal(0)
  const isComplete = image !== undefined && request.labels.length > 0
  const text = JSON.stringify(request)
  useEffect(() => {
    error.value = undefined
    if (!isComplete) {
      scores.value = undefined
      isBusy.value = false
      return
    }
    const stop = new AbortController()
    isBusy.value = true
    const timer = setTimeout(async () => {
      try {
        const answer = await call((client) =>
          client.post('/v1/zero-shot', { body: formOf(image, request), signal: stop.signal })
        )
        if (!stop.signal.aborted) scores.value = answer as Scores
      } catch (thrown) {
        if (!stop.signal.aborted && !isAbort(thrown)) {
          error.value = thrown
          scores.value = undefined
        }
      }
      if (!stop.signal.aborted) isBusy.value = false
    }, QUIET_MS)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [image, text, tries.value])
  return { scores: scores.value, error: error.value, isBusy: isBusy.value, retry: () => void tries.value++ }
}

/** The form of a request; made again for each try, since it is read as it is sent. */
function formOf(image: Blob, { labels, templates, multiLabel, model }: ClassifyRequest): FormData {
  const form = new FormData()
  form.append(
    'labels',
    JSON.stringify(labels.map(({ label, prompts }) => (prompts.length > 0 ? { label, prompts } : label)))
  )
  if (typeof templates === 'string') form.append('templates', templates)
  else if (templates) form.append('templates', JSON.stringify(templates))
  if (multiLabel) form.append('multi_label', 'true')
  if (model) form.append('model', model)
  form.append('image', image)
  return form
}
