import { Comparison } from './comparison.js'
import { TARGETS, type Target } from './search-request.js'
import { Timings } from './timings.js'
import type { SearchControls } from './use-search-request.js'
import type { Results } from './use-results.js'

const NAMES: Record<Target, string> = { image: 'Pictures', text: 'Texts', record: 'Both' }

/** What is looked for and how; how long it took. */
export function Toolbar({
  controls: { request, change },
  results,
  collection
}: {
  controls: SearchControls
  results: Results
  collection: string
}) {
  const { took } = results.first ?? {}
  return (
    <div class="toolbar">
      <Segments
        legend="Look for"
        name="target"
        chosen={request.target}
        options={TARGETS.map((target) => ({ value: target, name: NAMES[target] }))}
        onChoose={(target) => change({ target })}
      />
      <Segments
        legend="How to search"
        name="exact"
        chosen={request.exact ? 'exact' : 'approximate'}
        onChoose={(way) => change({ exact: way === 'exact' })}
        options={[
          {
            value: 'approximate',
            name: 'Approximate',
            title: 'By the HNSW graph: fast in large collections'
          },
          { value: 'exact', name: 'Exact', title: 'Compares with every embedding' }
        ]}
      />
      {took && <Timings took={took} />}
      {took && <Comparison request={request} collection={collection} />}
    </div>
  )
}

interface SegmentsProps<Value extends string> {
  legend: string
  name: string
  chosen: Value
  options: { value: Value; name: string; title?: string }[]
  onChoose: (value: Value) => void
}

function Segments<Value extends string>({ legend, name, chosen, options, onChoose }: SegmentsProps<Value>) {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{legend}</legend>
      {options.map((option) => (
        <label key={option.value} title={option.title}>
          <input
            type="radio"
            name={name}
            class="visually-hidden"
            checked={option.value === chosen}
            onChange={() => onChoose(option.value)}
          />
          <span>{option.name}</span>
        </label>
      ))}
    </fieldset>
  )
}
