import { signal, useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import { LANGUAGES } from '../../../src/http/docs/code-samples/code-samples.js'
import type { SampleCall } from '../../../src/http/docs/code-samples/sample-call.js'
import { copy } from './copy.js'

const STORED_AS = 'semblance.language'

/** The language that samples are shown in, all over the page. */
const language = signal(localStorage.getItem(STORED_AS) ?? LANGUAGES[0].label)

function choose(label: string): void {
  language.value = label
  localStorage.setItem(STORED_AS, label)
}

/** How long a button says that it copied, in milliseconds. */
const COPIED_MS = 2000

/** A call as code in several languages, to be copied. The code follows what is written beside it. */
export function Samples({ call, name }: { call: SampleCall; name: string }) {
  const id = useId()
  const said = useSignal('')
  const shown = LANGUAGES.find(({ label }) => label === language.value) ?? LANGUAGES[0]
  const source = shown.write(call)
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    const next = LANGUAGES[(LANGUAGES.indexOf(shown) + step + LANGUAGES.length) % LANGUAGES.length]
    choose(next.label)
    document.getElementById(`${id}-${next.label}`)?.focus()
    event.preventDefault()
  }
  const take = async () => {
    said.value = await copy(source).then(
      () => 'Copied',
      (error: Error) => error.message
    )
    setTimeout(() => (said.value = ''), COPIED_MS)
  }
  return (
    <div class="samples">
      <div class="samples-bar">
        <div role="tablist" aria-label={`Code for: ${name}`} onKeyDown={onKeyDown}>
          {LANGUAGES.map(({ label }) => (
            <button
              key={label}
              id={`${id}-${label}`}
              type="button"
              role="tab"
              aria-selected={label === shown.label}
              aria-controls={`${id}-panel`}
              tabIndex={label === shown.label ? 0 : -1}
              onClick={() => choose(label)}
            >
              {label}
            </button>
          ))}
        </div>
        <button type="button" class="copy" onClick={take} aria-label={`Copy as ${shown.label}`}>
          <span aria-hidden="true">{said.value || 'Copy'}</span>
        </button>
        <span class="visually-hidden" role="status">
          {said.value}
        </span>
      </div>
      <pre id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${shown.label}`} tabIndex={0}>
        <code>{source}</code>
      </pre>
    </div>
  )
}
