// The ingest of bench/mixed.js: NDJSON without end until told to stop, pictures with captions or captions
// alone, no two alike. Answers with the records written.
import { parentPort, workerData } from 'node:worker_threads'
import { Pool } from 'undici'

const { url, path, photos, from } = workerData
let isStopped = false
parentPort.once('message', () => (isStopped = true))

async function* lines() {
  for (let n = 0; !isStopped; n++) {
    const text = `caption ${from}-${n}`
    const photo = photos[n % photos.length]
    const image = photo && { base64: Buffer.concat([photo, Buffer.from(text)]).toString('base64') }
    yield JSON.stringify({ id: `r${from}-${n}`, text, ...(image && { image }) }) + '\n'
  }
}

const pool = new Pool(url, { bodyTimeout: 0, headersTimeout: 0 })
const { statusCode, body } = await pool.request({
  path,
  method: 'POST',
  headers: { 'content-type': 'application/x-ndjson' },
  body: lines()
})
const written = (await body.text()).split('"created"').length - 1
await pool.close()
if (statusCode !== 200 || written === 0)
  throw new Error(`The ingest answered ${statusCode}, ${written} written.`)
parentPort.postMessage(written)
