import { useId } from 'preact/hooks'
import { parseMetadata } from './metadata.js'

interface MetadataFieldProps {
  text: string
  label: string
  onChange: (text: string) => void
}

/** Why metadata cannot be read; undefined where it can. */
export function metadataProblem(text: string): string | undefined {
  try {
    parseMetadata(text)
  } catch (error) {
    return (error as Error).message
  }
}

/** Metadata as it is typed, with what is to be fixed. */
export function MetadataField({ text, label, onChange }: MetadataFieldProps) {
  const id = useId()
  const problem = metadataProblem(text)
  return (
    <div class="field">
      <label class="field">
        <span>{label}</span>
        <textarea
          class="mono"
          rows={3}
          spellcheck={false}
          value={text}
          placeholder={'album=Norway\nyear=2024'}
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-hint`}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      </label>
      <span id={`${id}-hint`} class={problem && 'wrong'}>
        {problem ?? 'Lines of key=value, or a JSON object. Filters and colours of the map go by it.'}
      </span>
    </div>
  )
}
