import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatBytes } from '../../format.js'
import type { Upload } from './upload-list.js'

/** Height of a row in pixels; the style sheet has it as --row. */
const ROW_PX = 52
/** Rows above and below those that are seen. */
const SPARE = 4

/** Files with what became of each. Only those in sight are in the page, however many there are. */
export function UploadRows({ items, onAgain }: { items: Upload[]; onAgain: (item: Upload) => void }) {
  const frame = useRef<HTMLDivElement>(null)
  const top = useSignal(0)
  const height = useSignal(416)
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) => (height.value = contentRect.height))
    observer.observe(frame.current!)
    return () => observer.disconnect()
  }, [])
  // Of a list that got shorter the last are seen.
  const start = Math.max(
    0,
    Math.min(Math.floor(top.value / ROW_PX), items.length - Math.ceil(height.value / ROW_PX)) - SPARE
  )
  const end = start + Math.ceil(height.value / ROW_PX) + 2 * SPARE
  return (
    <div
      ref={frame}
      class="upload-rows"
      tabIndex={0}
      role="region"
      aria-label="Files"
      style={{ '--count': items.length }}
      onScroll={({ currentTarget }) => (top.value = currentTarget.scrollTop)}
    >
      <ul>
        {items.slice(start, end).map((item, place) => (
          <li
            key={item.path}
            data-state={item.state}
            style={{ '--place': start + place }}
            aria-setsize={items.length}
            aria-posinset={start + place + 1}
          >
            <UploadRow item={item} onAgain={onAgain} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function UploadRow({ item, onAgain }: { item: Upload; onAgain: (item: Upload) => void }) {
  const { path, file, caption, state, sent, reason } = item
  return (
    <>
      <div class="upload-name">
        <span title={path}>{path}</span>
        <small class={state === 'failed' ? 'wrong' : 'muted'} title={reason}>
          {reason ?? `${formatBytes(file.size)}${caption ? ', with a caption' : ''}`}
        </small>
      </div>
      {state === 'sending' && <progress aria-label={`${path} sent`} value={sent} max={1} />}
      <span class="upload-state">
        {state === 'sending' ? (sent < 1 ? `${Math.floor(sent * 100)}%` : 'being read') : state}
      </span>
      {state === 'failed' && (
        <button type="button" class="quiet" aria-label={`Try ${path} again`} onClick={() => onAgain(item)}>
          Again
        </button>
      )}
    </>
  )
}
