import { useRef } from 'preact/hooks'
import { Icon } from '../../icon.js'
import { useTyped } from '../../use-typed.js'
import { isSearch } from './search-request.js'
import { Chip } from './chip.js'
import { ImageButton } from './image-button.js'
import type { Part } from './part.js'
import type { SearchControls } from './use-search-request.js'
import { useBoxFocus } from './use-box-focus.js'

interface SearchBoxProps {
  controls: SearchControls
  collection: string
  /** Whether the collection has a model, without which neither words nor pictures are understood. */
  hasModel: boolean
  onImages: (files: File[]) => void
}

/** The words that are searched for, beside the chips of what else the query has. */
export function SearchBox({ controls: { request, change }, collection, hasModel, onImages }: SearchBoxProps) {
  const box = useRef<HTMLInputElement>(null)
  const { text, type, settle } = useTyped(request.text, (text, options) => change({ text }, options))
  useBoxFocus(box, { atStart: !isSearch(request) })
  const setParts = (parts: Part[], options?: { replace: boolean }) => change({ parts }, options)
  const remove = (at: number) => {
    setParts(request.parts.filter((_, i) => i !== at))
    box.current?.focus()
  }
  const keep = (weight: number) => {
    const value = text.trim()
    if (value === '') return
    type('')
    change({ text: '', parts: [...request.parts, { kind: 'text', value, weight }] })
    box.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Backspace' && text === '' && request.parts.length > 0) remove(request.parts.length - 1)
    if (event.key === 'ArrowDown') document.querySelector<HTMLElement>('.results [tabindex="0"]')?.focus()
    if (event.key === 'Enter' && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      keep(event.shiftKey ? -1 : 1)
    }
  }
  return (
    <form class="search-box" role="search" onSubmit={(event) => (event.preventDefault(), settle())}>
      <Icon name="search" />
      <div class="search-parts">
        {request.parts.length > 0 && (
          <ul class="chips" aria-label="Parts of the query">
            {request.parts.map((part, at) => (
              <Chip
                key={`${part.kind}:${part.value}:${at}`}
                part={part}
                collection={collection}
                onRemove={() => remove(at)}
                onChange={(next) =>
                  setParts(
                    request.parts.map((each, i) => (i === at ? next : each)),
                    { replace: true }
                  )
                }
              />
            ))}
          </ul>
        )}
        <input
          ref={box}
          type="search"
          name="q"
          aria-label="Search by words"
          enterkeyhint="search"
          autocomplete="off"
          spellcheck={false}
          maxLength={8000}
          disabled={!hasModel}
          placeholder={
            hasModel
              ? request.parts.length > 0
                ? 'Add words'
                : 'Describe what you look for'
              : 'No model: start from a record'
          }
          value={text}
          onInput={({ currentTarget }) => type(currentTarget.value)}
          onBlur={settle}
          onKeyDown={onKeyDown}
        />
      </div>
      {text.trim() !== '' && (
        <div class="search-signs">
          <button
            type="button"
            class="quiet"
            title="Add these words to the query and continue (Ctrl+Enter)"
            onClick={() => keep(1)}
          >
            <Icon name="add" />
            <span>Add</span>
          </button>
          <button
            type="button"
            class="quiet"
            title="Lead away from these words (Shift+Enter)"
            onClick={() => keep(-1)}
          >
            <Icon name="minus" />
            <span>Away</span>
          </button>
        </div>
      )}
      <ImageButton onImages={onImages} isDisabled={!hasModel} />
    </form>
  )
}
