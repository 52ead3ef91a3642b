import type { Label } from './classify-request.js'
import type { Scores } from './use-zero-shot.js'

/** A label for all that the others do not name. Its prompts say nothing of what is seen. */
const NONE_OF_THESE: Label = { label: 'none of these', prompts: ['something else', 'an object', 'a thing'] }

interface ActivationNoteProps {
  activation: Scores['activation']
  labels: Label[]
  onAdd: (label: Label) => void
}

/** How the scores are to be read. */
export function ActivationNote({ activation, labels, onAdd }: ActivationNoteProps) {
  if (activation === 'sigmoid')
    return (
      <p class="muted score-note">
        <strong class="activation">sigmoid</strong> Each label stands on its own: several may hold, or none,
        and the scores need not sum to 100%.
      </p>
    )
  const isThere = labels.some(({ label }) => label === NONE_OF_THESE.label)
  return (
    <div class="softmax-note muted">
      <p>
        <strong class="activation">softmax</strong> The scores of all labels always sum to 100%, so one of
        them wins even where none fits.
        {!isThere && ' A label for “none of these” gives such a picture a place to go.'}
      </p>
      {!isThere && (
        <button type="button" class="quiet" onClick={() => onAdd(NONE_OF_THESE)}>
          Add “none of these”
        </button>
      )}
    </div>
  )
}
