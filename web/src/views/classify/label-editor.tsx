import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { formatNumber } from '../../format.js'
import { Icon } from '../../icon.js'
import { labelsOf, withLabels, type Label } from './classify-request.js'
import { LabelDetail } from './label-detail.js'

interface LabelEditorProps {
  labels: Label[]
  onChange: (labels: Label[]) => void
}

/** The labels as chips: typed or pasted, taken away, and opened for prompts of their own. */
export function LabelEditor({ labels, onChange }: LabelEditorProps) {
  const opened = useSignal<string | undefined>(undefined)
  const input = useRef<HTMLInputElement>(null)
  const remove = (label: string) => {
    onChange(labels.filter((each) => each.label !== label))
    // What had the focus is gone.
    input.current?.focus()
  }
  const detail = labels.find(({ label }) => label === opened.value)
  return (
    <section class="label-editor" aria-labelledby="labels-title">
      <div class="row labels-head">
        <h2 id="labels-title">Labels</h2>
        {labels.length > 0 && (
          <button type="button" class="quiet" onClick={() => onChange([])}>
            Remove all
          </button>
        )}
      </div>
      <ul class="label-chips">
        {labels.map(({ label, prompts }) => (
          <li key={label} class="label-chip">
            <button
              type="button"
              class="label-chip-name"
              aria-expanded={opened.value === label}
              title="Change it, or give it prompts of its own"
              onClick={() => (opened.value = opened.value === label ? undefined : label)}
            >
              {label}
              {prompts.length > 0 && <small>{formatNumber(prompts.length, 'prompt')}</small>}
            </button>
            <button
              type="button"
              class="label-chip-end"
              aria-label={`Remove ${label}`}
              onClick={() => remove(label)}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
        <li class="label-chip-input">
          <LabelInput inputRef={input} labels={labels} onChange={onChange} />
        </li>
      </ul>
      {detail && (
        <LabelDetail
          key={labels.indexOf(detail)}
          label={detail}
          taken={labels.map(({ label }) => label)}
          onChange={(changed) => {
            onChange(labels.map((each) => (each === detail ? changed : each)))
            opened.value = changed.label
          }}
          onClose={() => {
            opened.value = undefined
            input.current?.focus()
          }}
        />
      )}
    </section>
  )
}

function LabelInput({
  inputRef,
  labels,
  onChange
}: LabelEditorProps & { inputRef: { current: HTMLInputElement | null } }) {
  const add = (text: string) => {
    onChange(withLabels(labels, labelsOf(text)))
    if (inputRef.current) inputRef.current.value = ''
  }
  return (
    <input
      ref={inputRef}
      aria-label="Add a label"
      placeholder={labels.length === 0 ? 'Type a label, then Enter' : 'Add another'}
      maxLength={1000}
      enterkeyhint="done"
      autocapitalize="none"
      onKeyDown={(event) => {
        const { value } = event.currentTarget
        // An input method ends a word by Enter, too.
        if (event.isComposing) return
        if (event.key === 'Enter' || event.key === ',') {
          event.preventDefault()
          add(value)
        } else if (event.key === 'Backspace' && value === '') onChange(labels.slice(0, -1))
      }}
      onPaste={(event) => {
        const text = event.clipboardData?.getData('text') ?? ''
        if (!/[\n,]/.test(text)) return
        event.preventDefault()
        add(text)
      }}
      onBlur={({ currentTarget: { value } }) => value.trim() !== '' && add(value)}
    />
  )
}
