import { collections } from '../../collections.js'
import { nameProblem } from '../../collection-name.js'
import { LONG_PAUSE_MS, useTyped } from '../../use-typed.js'

interface DestinationProps {
  /** The name of the collection. */
  name: string
  isNew: boolean
  onChange: (changes: { name: string; isNew: boolean }) => void
}

/** The collection that is added to: one that is there, or a new one by its name. */
export function Destination({ name, isNew, onChange }: DestinationProps) {
  const known = collections.value ?? []
  const problem = isNew
    ? nameProblem(
        name,
        known.map((each) => each.name)
      )
    : undefined
  return (
    <div class="destination">
      <label class="field">
        <span>Into the collection</span>
        <select
          value={isNew ? '' : name}
          onChange={({ currentTarget: { value } }) =>
            onChange(value === '' ? { name: '', isNew: true } : { name: value, isNew: false })
          }
        >
          {known.map((each) => (
            <option key={each.name} value={each.name} disabled={each.model === null}>
              {each.model === null ? `${each.name} (embeddings only)` : each.name}
            </option>
          ))}
          <option value="">A new one</option>
        </select>
      </label>
      {isNew && (
        <div class="field">
          <label class="field">
            <span>Its name</span>
            <NameInput
              name={name}
              isWrong={name !== '' && problem !== undefined}
              onChange={(typed) => onChange({ name: typed, isNew: true })}
            />
          </label>
          <span id="destination-problem" class={name !== '' && problem ? 'wrong' : undefined}>
            {name === '' ? 'It is made when you add to it, with the first of the loaded models.' : problem}
          </span>
        </div>
      )}
    </div>
  )
}

function NameInput({
  name,
  isWrong,
  onChange
}: {
  name: string
  isWrong: boolean
  onChange: (name: string) => void
}) {
  const { text, type, settle } = useTyped(name, onChange, { pauseMs: LONG_PAUSE_MS })
  return (
    <input
      value={text}
      maxLength={64}
      autocapitalize="none"
      spellcheck={false}
      placeholder="holiday-2024"
      aria-invalid={isWrong}
      aria-describedby="destination-problem"
      onInput={({ currentTarget }) => type(currentTarget.value)}
      onBlur={settle}
      onKeyDown={({ key }) => key === 'Enter' && settle()}
    />
  )
}
