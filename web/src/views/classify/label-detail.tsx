import { useSignal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import { LONG_PAUSE_MS, useTyped } from '../../use-typed.js'
import { linesOf, type Label } from './classify-request.js'

interface LabelDetailProps {
  label: Label
  /** Labels that are there already. */
  taken: string[]
  onChange: (label: Label) => void
  onClose: () => void
}

/** One label's wording, and its own prompts in place of the templates. */
export function LabelDetail({ label, taken, onChange, onClose }: LabelDetailProps) {
  const isTaken = useSignal(false)
  const problemId = useId()
  const first = useRef<HTMLInputElement>(null)
  useEffect(() => first.current?.focus(), [])
  const prompts = useTyped(
    label.prompts.join('\n'),
    (text) => onChange({ ...label, prompts: linesOf(text) }),
    { pauseMs: LONG_PAUSE_MS, linkedOf: (text) => linesOf(text).join('\n') }
  )
  const rename = (name: string) => {
    isTaken.value = name !== label.label && taken.includes(name)
    if (!isTaken.value && name !== '' && name !== label.label) onChange({ ...label, label: name })
  }
  return (
    <div class="label-detail" onKeyDown={({ key }) => key === 'Escape' && (prompts.settle(), onClose())}>
      <div class="field">
        <label class="field">
          <span>Label</span>
          <input
            ref={first}
            defaultValue={label.label}
            maxLength={1000}
            aria-invalid={isTaken.value}
            aria-describedby={problemId}
            onBlur={({ currentTarget: { value } }) => rename(value.trim())}
            onKeyDown={({ key, currentTarget: { value } }) => key === 'Enter' && rename(value.trim())}
          />
        </label>
        <span id={problemId} class="wrong" role="alert">
          {isTaken.value && 'That label is there already.'}
        </span>
      </div>
      <label class="field">
        <span>Its own prompts, one a line, in place of the templates</span>
        <textarea
          rows={3}
          value={prompts.text}
          placeholder={`a photo of a ${label.label}`}
          onInput={({ currentTarget }) => prompts.type(currentTarget.value)}
          onBlur={prompts.settle}
        />
      </label>
      <button type="button" onClick={onClose}>
        Done
      </button>
    </div>
  )
}
