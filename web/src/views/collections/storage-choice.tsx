import type { Collection } from '../../collections.js'

type Storage = Collection['storage']

const CHOICES: { value: Storage; text: string }[] = [
  { value: 'original', text: 'original: as they were sent' },
  { value: 'thumbnail', text: 'thumbnail: small ones, to look at' },
  { value: 'none', text: 'none: embeddings alone' }
]

/** What is kept of pictures. */
export function StorageChoice({ value, onChange }: { value: Storage; onChange: (value: Storage) => void }) {
  return (
    <label class="field">
      <span>What is kept of pictures. Only what is kept can be re-indexed</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value as Storage)}>
        {CHOICES.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.text}
          </option>
        ))}
      </select>
    </label>
  )
}
