import { Agent, request } from 'node:http'

/** Whole groups of random-looking bytes that no picture holds, between the parts of a form. */
const BOUNDARY = '----semblance-fuzz-7d1f0c'

/** The ways an image comes in: what each sends, and what its answer says of the image. */
const WAYS = [
  {
    name: 'embeddings',
    path: '/v1/embeddings',
    body: ({ bytes }) => json({ input: { image: { base64: bytes.toString('base64') } }, encoding_format: 'base64' })
  },
  {
    name: 'zero-shot',
    path: '/v1/zero-shot',
    body: ({ bytes }) => {
      const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="labels"\r\n\r\n["a dog","a car"]\r\n--${BOUNDARY}\r\ncontent-disposition: form-data; name="image"; filename="picture"\r\n\r\n`
      return { type: `multipart/form-data; boundary=${BOUNDARY}`, content: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]) }
    }
  },
  {
    name: 'records',
    path: '/v1/collections/fuzz/records',
    body: ({ bytes }, number) => json({ records: [{ id: `picture-${number % 64}`, image: { base64: bytes.toString('base64') } }] }),
    codeIn: ({ results }) => (results[0].status === 'failed' ? results[0].error : undefined)
  }
]

const json = (value) => ({ type: 'application/json', content: Buffer.from(JSON.stringify(value)) })

/**
 * Sends inputs to a service, `concurrency` at a time, and says what came of each: `{ number, kind, way, code, ms, fault }`.
 * A fault is an answer that is neither 200 nor a 4xx of the error shape, none within `secondsEach`, or a cut connection.
 */
export async function sendAll({ url, inputs, concurrency, secondsEach, onAnswer }) {
  await put(url, '/v1/collections/fuzz', { storage: 'thumbnail' })
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const source = inputs[Symbol.asyncIterator]()
  const worker = async () => {
    for (let next; !(next = await source.next()).done; ) {
      const { number, kind, name, bytes } = next.value
      const way = WAYS[number % WAYS.length]
      const answer = await send({ agent, url, path: way.path, ...way.body({ bytes }, number) }, secondsEach)
      const stop = await onAnswer({ number, kind, name, bytes, way: way.name, ...answer, ...judge(answer, way, secondsEach) })
      if (stop) return
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  agent.destroy()
}

async function put(url, path, body) {
  const response = await fetch(url + path, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await response.text())
}

function send({ agent, url, path, type, content }, secondsEach) {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const done = (answer) => resolve({ ...answer, ms: performance.now() - startedAt })
    const outgoing = request(url + path, { agent, method: 'POST', headers: { 'content-type': type, 'content-length': content.length } }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.once('end', () => done({ status: response.statusCode, text: Buffer.concat(chunks).toString('utf8') }))
      response.once('error', (error) => done({ error }))
    })
    // Longer than the limit: how long it takes is worth knowing.
    outgoing.setTimeout(secondsEach * 4000, () => outgoing.destroy(new Error('no answer')))
    outgoing.once('error', (error) => done({ error }))
    outgoing.end(content)
  })
}

/** The code of an answer (200 where the image was taken), and what is wrong with it, if anything. */
function judge({ status, text, error, ms }, { codeIn }, secondsEach) {
  if (error) return { code: 'none', fault: `no answer: ${error.message}` }
  let body
  try {
    body = JSON.parse(text)
  } catch {
    return { code: String(status), fault: `${status} that is no JSON: ${text.slice(0, 100)}` }
  }
  const refusal = status === 200 ? codeIn?.(body) : body.error
  const code = refusal?.code ?? String(status)
  const fault = faultOf({ status, body, refusal }) ?? (ms > secondsEach * 1000 ? `answered after ${(ms / 1000).toFixed(1)} s` : undefined)
  return { code, fault }
}

const INTERNAL = ['INTERNAL', 'ENCODER_FAILED', 'WORKER_DIED']

function faultOf({ status, body, refusal }) {
  if (status !== 200 && !(status >= 400 && status < 500)) return `status ${status}: ${JSON.stringify(body).slice(0, 200)}`
  if (status !== 200 && typeof body.error?.request_id !== 'string') return `not the error shape: ${JSON.stringify(body).slice(0, 200)}`
  if (!refusal) return
  if (INTERNAL.includes(refusal.code)) return `${refusal.code}: ${refusal.message}`
  if (typeof refusal.message !== 'string' || refusal.message.length > 300 || /[\x00-\x1f\x7f]|node_modules|\/tmp\//.test(refusal.message)) return `a message that is not one short line: ${JSON.stringify(refusal.message).slice(0, 400)}`
}
