import type { ComponentChildren } from 'preact'
import { Icon } from '../../icon.js'
import { Picture } from '../../picture.js'
import { droppedImage, nameInKey } from './dropped-images.js'
import { MAX_WEIGHT, WEIGHT_STEP, withStrength, type Part } from './part.js'
import { useRecord } from './use-record.js'

interface ChipProps {
  part: Part
  collection: string
  onChange: (part: Part) => void
  onRemove: () => void
}

/** A part of the query: what it is, whether it leads there or away, and how strongly. */
export function Chip({ part, ...rest }: ChipProps) {
  if (part.kind === 'record') return <RecordChip part={part} {...rest} />
  if (part.kind === 'text') return <ChipFrame part={part} label={part.value} {...rest} />
  const image = droppedImage(part.value)
  const name = image?.name ?? nameInKey(part.value)
  return (
    <ChipFrame part={part} label={name} isMissing={!image} {...rest}>
      {image && <img src={image.url} alt="" />}
    </ChipFrame>
  )
}

function RecordChip({ part, collection, ...rest }: ChipProps) {
  const { record, problem } = useRecord(collection, part.value)
  return (
    <ChipFrame
      part={part}
      label={record?.text ?? part.value}
      isMissing={problem !== undefined}
      collection={collection}
      {...rest}
    >
      {record?.image_url && <Picture path={record.image_url} alt="" />}
    </ChipFrame>
  )
}

interface FrameProps extends ChipProps {
  label: string
  /** What it stands for is not there: a file that no link can carry, a record that was deleted. */
  isMissing?: boolean
  /** Its picture. */
  children?: ComponentChildren
}

function ChipFrame({ part, label, isMissing = false, children, onChange, onRemove }: FrameProps) {
  const isAway = part.weight < 0
  const strength = Math.abs(part.weight)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Backspace' && event.key !== 'Delete') return
    event.preventDefault()
    onRemove()
  }
  return (
    <li
      class="chip"
      data-away={isAway || undefined}
      data-missing={isMissing || undefined}
      onKeyDown={onKeyDown}
    >
      <button
        type="button"
        class="chip-sign"
        aria-label={`${label} leads ${isAway ? 'away' : 'there'}. Turn it around`}
        title={isAway ? 'Leads away. Turn it around' : 'Leads there. Turn it around'}
        onClick={() => onChange({ ...part, weight: -part.weight })}
      >
        <Icon name={isAway ? 'minus' : 'add'} />
      </button>
      {children && <span class="chip-picture">{children}</span>}
      <span class="chip-label" title={label}>
        {label}
        {isMissing && (
          <span class="chip-note">
            {part.kind === 'image' ? 'not in the link, drop it again' : 'not there'}
          </span>
        )}
      </span>
      {!isMissing && (
        <>
          <input
            type="range"
            min={WEIGHT_STEP}
            max={MAX_WEIGHT}
            step={WEIGHT_STEP}
            value={strength}
            aria-label={`Weight of ${label}`}
            title={`Weight ${strength}`}
            onInput={({ currentTarget }) => onChange(withStrength(part, Number(currentTarget.value)))}
          />
          <span class="chip-weight number" aria-hidden="true">
            {strength}
          </span>
        </>
      )}
      <button
        type="button"
        class="chip-remove"
        aria-label={`Remove ${label}`}
        title="Remove"
        onClick={onRemove}
      >
        <Icon name="close" />
      </button>
    </li>
  )
}
