import { Icon } from '../../icon.js'
import { Picture } from '../../picture.js'
import type { Target } from './search-request.js'
import type { Found } from './find.js'

interface ResultCardProps {
  match: Found
  target: Target
  /** Whether Tab comes to this card; arrows move on from it. */
  isCurrent: boolean
  onFocus: () => void
  onOpen: () => void
  onMoreLike: () => void
}

/** One result: its picture or its text, and how near it is. */
export function ResultCard({
  match: { id, text, image_url: image, score },
  target,
  isCurrent,
  onFocus,
  onOpen,
  onMoreLike
}: ResultCardProps) {
  const name = text || id
  const tabIndex = isCurrent ? 0 : -1
  const isText = !image || target === 'text'
  return (
    <li class="result" data-kind={isText ? 'text' : 'image'}>
      <button type="button" class="result-open" tabIndex={tabIndex} onFocus={onFocus} onClick={onOpen}>
        {isText ? (
          <span class="result-text">
            {image && (
              <span class="result-small">
                <Picture path={image} alt="" />
              </span>
            )}
            <span>{name}</span>
          </span>
        ) : (
          <span class="result-picture">
            <Picture path={image} alt="" />
          </span>
        )}
        <span class="result-line">
          <span class="result-name">{isText ? id : name}</span>
          {score !== undefined && <span class="result-score number">{score.toFixed(3)}</span>}
        </span>
      </button>
      <button
        type="button"
        class="result-more icon-button"
        tabIndex={tabIndex}
        aria-label={`More like ${name}`}
        title="More like this"
        onFocus={onFocus}
        onClick={onMoreLike}
      >
        <Icon name="similar" />
      </button>
    </li>
  )
}
