import type { Scalar } from './condition.js'

const isScalar = (value: unknown): value is Scalar => ['string', 'number', 'boolean'].includes(typeof value)
/** Filters bound to longer ones fit in no link. */
const LONGEST_FILTER = 200

interface MetadataListProps {
  metadata: Record<string, unknown>
  /** Narrows the results down to a value. */
  onValue: (field: string, value: Scalar) => void
}

/** A record's metadata; the values lead to the other records that hold them. */
export function MetadataList({ metadata, onValue }: MetadataListProps) {
  return (
    <dl class="metadata">
      {Object.entries(metadata).map(([field, value]) => (
        <div key={field}>
          <dt>{field}</dt>
          <dd>
            <Value field={field} value={value} onValue={onValue} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Value({
  field,
  value,
  onValue
}: {
  field: string
  value: unknown
  onValue: MetadataListProps['onValue']
}) {
  const values = Array.isArray(value) ? value : [value]
  if (values.length === 0 || !values.every(isScalar)) return <code>{JSON.stringify(value)}</code>
  return (
    <ul class="metadata-values">
      {values.map((each) => (
        <li key={String(each)}>
          {String(each).length > LONGEST_FILTER ? (
            String(each)
          ) : (
            <button
              type="button"
              class="quiet"
              title={`Only records whose ${field} is this`}
              onClick={() => onValue(field, each)}
            >
              {String(each)}
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}
