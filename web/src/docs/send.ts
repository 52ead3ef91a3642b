import { addressOf } from '../../../src/http/docs/code-samples/sample-call.js'
import { apiKey, askForKey } from '../connection.js'
import { EXAMPLE_FILE } from '../../../src/http/docs/code-samples/example-calls.js'
import { formFields, given, type Draft, type DraftBody } from './draft.js'

/** What a call was answered, as far as it has come. */
export interface Received {
  status: number
  type: string
  requestId: string
  location: string
  /** Until the first byte, in milliseconds. */
  ms: number
  bytes: number
  isWhole: boolean
  /** Text as it came, cut after what is shown at most; undefined for bytes. */
  text?: string
  isCut: boolean
  /** All of it, once it is there. */
  blob?: Blob
}

/** Characters of an answer that are shown. */
const MAX_SHOWN = 100_000

/**
 * Sends a draft, and again with a key where one is asked for. `onReceived` is told whenever more has come.
 */
export async function send(
  draft: Draft,
  {
    method,
    path,
    signal,
    onReceived
  }: { method: string; path: string; signal: AbortSignal; onReceived: (received: Received) => void }
): Promise<void> {
  const address = addressOf({
    origin: location.origin,
    method,
    path,
    pathValues: draft.values.path,
    query: given(draft.values.query),
    headers: {},
    answer: draft.answer,
    withKey: false
  })
  const body = draft.bodies[draft.chosen]
  for (;;) {
    const key = apiKey.peek()
    const headers = {
      ...given(draft.values.header),
      ...(body && body.kind !== 'form' && { 'content-type': body.type }),
      ...(key && { authorization: `Bearer ${key}` })
    }
    const startedAt = performance.now()
    const answer = await fetch(address, {
      method,
      headers,
      signal,
      ...(body && { body: await payload(body) })
    })
    if (
      answer.status !== 401 ||
      !(await askForKey(
        key === '' ? 'This service requires an API key.' : 'The service rejects this API key.'
      ))
    ) {
      return receive(answer, { ms: performance.now() - startedAt, onReceived })
    }
  }
}

async function payload(body: DraftBody): Promise<BodyInit> {
  if (body.kind === 'json' || body.kind === 'text') return body.text
  if (body.kind === 'file') return body.files[0]
  const form = new FormData()
  const files =
    body.files.length > 0
      ? body.files
      : [new File([await (await fetch(`/docs/${EXAMPLE_FILE}`)).blob()], EXAMPLE_FILE, { type: 'image/png' })]
  for (const file of files) form.append('image', file)
  for (const [name, value] of formFields(body.fields)) form.append(name, value)
  return form
}

async function receive(
  answer: Response,
  { ms, onReceived }: { ms: number; onReceived: (received: Received) => void }
): Promise<void> {
  const header = (name: string) => answer.headers.get(name) ?? ''
  const type = header('content-type').split(';')[0]
  const isText = /json|^text\//.test(type)
  const received: Received = {
    status: answer.status,
    type,
    requestId: header('x-request-id'),
    location: header('location'),
    ms,
    bytes: 0,
    isWhole: false,
    isCut: false,
    ...(isText && { text: '' })
  }
  onReceived(received)
  const decoder = new TextDecoder()
  const chunks: Uint8Array<ArrayBuffer>[] = []
  const reader = answer.body?.getReader()
  for (let part = await reader?.read(); part && !part.done; part = await reader!.read()) {
    chunks.push(part.value)
    received.bytes += part.value.length
    if (isText && !received.isCut) {
      received.text += decoder.decode(part.value, { stream: true })
      received.isCut = received.text!.length > MAX_SHOWN
      if (received.isCut) received.text = received.text!.slice(0, MAX_SHOWN)
    }
    onReceived({ ...received })
  }
  onReceived({ ...received, isWhole: true, blob: new Blob(chunks, { type }) })
}
