import { isThere } from './is-there.js'
import type { Found } from './find.js'
import type { Part } from './part.js'
import type { SearchControls } from './use-search-request.js'

interface Starter {
  text: string
  parts?: Part[]
}

/** For the collection that a fresh service shows. */
const DEMO: Starter[] = [
  { text: 'a slice of pizza' },
  { text: 'an angry cat' },
  { text: 'rainbow' },
  {
    text: 'a fruit',
    parts: [
      { kind: 'text', value: 'red', weight: 0.5 },
      { kind: 'text', value: 'an animal', weight: -0.5 }
    ]
  }
]
const LONGEST = 40
const MOST = 4

const nameOf = ({ text, parts = [] }: Starter) =>
  [text, ...parts.map(({ value, weight }) => `${weight < 0 ? '−' : '+'} ${value}`)].join(' ')

/**
 * Queries to begin with: of the demo some that were chosen, else what records of the collection say of
 * themselves.
 */
export function Starters({
  controls,
  collection,
  found
}: {
  controls: SearchControls
  collection: string
  found: Found[]
}) {
  const own = [
    ...new Set(
      found
        .map(({ text }) => text)
        .filter(isThere)
        .filter((text) => text.length > 3 && text.length <= LONGEST)
    )
  ]
  const starters = collection === 'emoji' ? DEMO : own.slice(0, MOST).map((text): Starter => ({ text }))
  return (
    <div class="starters">
      {starters.length > 0 && (
        <p class="row">
          <span class="muted">Try</span>
          {starters.map((starter) => (
            <button
              key={nameOf(starter)}
              type="button"
              class="quiet"
              onClick={() => controls.change({ text: starter.text, parts: starter.parts ?? [] })}
            >
              {nameOf(starter)}
            </button>
          ))}
        </p>
      )}
      <p class="muted starters-hint">
        Or drop a picture anywhere, paste one, or begin with one of these. <kbd>/</kbd> leads to the box.
      </p>
    </div>
  )
}
