// Loads a file of records, one line of JSON each, into a collection. What was cut off continues where it was:
// run it again.
//   node examples/bulk-load.js records.ndjson pets
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createClient } from 'semblance/client'

const [file, collection] = process.argv.slice(2)
if (!collection) throw new Error('node examples/bulk-load.js <records.ndjson> <collection>')
const client = createClient({
  url: process.env.SEMBLANCE_URL ?? 'http://localhost:8080',
  apiKey: process.env.SEMBLANCE_API_KEY
})

await client.put('/v1/collections/{collection}', { params: { path: { collection } }, body: {} })

// The load is known to the service by this key: that of another content is another load.
const hash = createHash('sha256')
for await (const chunk of createReadStream(file)) hash.update(chunk)
const idempotencyKey = `file-${hash.digest('hex')}`

async function* records() {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.trim() !== '') yield JSON.parse(line)
  }
}

const counts = { created: 0, updated: 0, skipped: 0, failed: 0 }
// One answer a record, in their order: no more is read of the file than the service takes.
for await (const { line, status, error } of client.bulk(collection, records(), { idempotencyKey })) {
  counts[status]++
  if (error) console.error(`record ${line}: ${error.message}`)
}
console.log(
  Object.entries(counts)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ')
)
