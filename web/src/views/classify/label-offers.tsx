import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { call } from '../../connection.js'

/** Fields of so many values are worth offering as labels. */
const [FEWEST, MOST] = [2, 40]

interface LabelOffersProps {
  collection: string
  onChoose: (values: string[]) => void
}

/** The values of the collection's metadata as labels to begin with: a field of a few words each. */
export function LabelOffers({ collection, onChoose }: LabelOffersProps) {
  const offers = useSignal<{ field: string; values: string[] }[]>([])
  useEffect(() => {
    const stop = new AbortController()
    call((client) =>
      client.get('/v1/collections/{collection}/facets', {
        params: { path: { collection }, query: { limit: MOST } },
        signal: stop.signal
      })
    )
      .then(({ fields }) => {
        // Those with a least value are dates.
        const wordy = fields.filter(
          ({ type, distinct, min }) =>
            type === 'string' && min === undefined && distinct >= FEWEST && distinct <= MOST
        )
        offers.value = wordy.map(({ field, values }) => ({
          field,
          values: values.map(({ value }) => String(value))
        }))
      })
      // An offer only.
      .catch(() => (offers.value = []))
    return () => stop.abort()
  }, [collection])
  return offers.value.map(({ field, values }) => (
    <button key={field} type="button" onClick={() => onChoose(values)}>
      The values of <code>{field}</code>
    </button>
  ))
}
