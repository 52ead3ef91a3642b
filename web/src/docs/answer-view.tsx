import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Picture } from '../picture.js'
import type { KnownError } from './description.js'
import { Inline } from './prose.js'
import type { Received } from './send.js'

interface AnswerProps {
  received: Received
  errors: Map<string, KnownError>
  /** What the file is called, where the answer is one. */
  fileName: string
}

/**
 * What a call was answered: status and time, the body to be read, looked at or kept, and what an error means.
 */
export function AnswerView({ received, errors, fileName }: AnswerProps) {
  const { status, ms, type, bytes, text, isCut, isWhole } = received
  const body = text === undefined ? undefined : parsed(received)
  const error = errors.get((body as { error?: { code?: string } } | undefined)?.error?.code ?? '')
  return (
    <div class="answer">
      <p class="answer-line">
        <strong class={status < 400 ? 'good' : 'bad'}>{status}</strong>
        <span class="number">{ms.toFixed(0)} ms</span>
        {type && <span>{type}</span>}
        <span class="number">
          {bytes.toLocaleString('en')} bytes{isWhole ? '' : ', more to come'}
        </span>
      </p>
      {error && (
        <div class="advice">
          <p>
            <strong>{error.code}</strong> <Inline text={error.meaning} />
          </p>
          <p>
            <Inline text={error.remedy} />
          </p>
        </div>
      )}
      {body !== undefined && <Matches body={body} />}
      {type.startsWith('image/') && received.blob && <BlobImage blob={received.blob} />}
      {text !== undefined && text !== '' && (
        <pre tabIndex={0} aria-label="Body of the answer">
          <code>
            {body === undefined ? text : JSON.stringify(body, null, 2)}
            {isCut ? '\n… more than is shown' : ''}
          </code>
        </pre>
      )}
      {received.blob && received.blob.size > 0 && !/json$/.test(type) && (
        <Keep blob={received.blob} name={fileName} />
      )}
    </div>
  )
}

function parsed({ text, type, isWhole, isCut }: Received): unknown {
  if (!isWhole || isCut || type !== 'application/json') return undefined
  try {
    return JSON.parse(text!)
  } catch {
    return undefined
  }
}

interface Match {
  id: string
  score: number
  text?: string | null
  image_url?: string | null
}

/** The pictures of a search's matches. */
function Matches({ body }: { body: unknown }) {
  const { matches = [] } = (body ?? {}) as { matches?: Match[] }
  const pictured = matches.filter(({ image_url: url }) => url)
  if (pictured.length === 0) return null
  return (
    <ul class="matches" aria-label="Pictures of the matches">
      {pictured.slice(0, 12).map(({ id, score, text, image_url: url }) => (
        <li key={id}>
          <Picture path={url!} alt={text ?? id} />
          <span class="small number">{score.toFixed(3)}</span>
        </li>
      ))}
    </ul>
  )
}

/** An address of bytes, as long as they are shown. */
function useBlobUrl(blob: Blob): string | undefined {
  const url = useSignal<string | undefined>(undefined)
  useEffect(() => {
    const made = URL.createObjectURL(blob)
    url.value = made
    return () => URL.revokeObjectURL(made)
  }, [blob])
  return url.value
}

function BlobImage({ blob }: { blob: Blob }) {
  const url = useBlobUrl(blob)
  return url ? <img class="answer-image" src={url} alt="The image of the answer" /> : null
}

function Keep({ blob, name }: { blob: Blob; name: string }) {
  const url = useBlobUrl(blob)
  return url ? (
    <a class="button" href={url} download={name}>
      Save {name}
    </a>
  ) : null
}
