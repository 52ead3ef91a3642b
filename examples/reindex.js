// Encodes a collection again with a loaded model, and tells how far it is. The collection can be searched all
// the while.
//   node examples/reindex.js pets
//   node examples/reindex.js pets clip-vit-base-patch32
import { createClient } from 'semblance/client'

const [collection, model] = process.argv.slice(2)
if (!collection) throw new Error('node examples/reindex.js <collection> [<model>]')
const client = createClient({
  url: process.env.SEMBLANCE_URL ?? 'http://localhost:8080',
  apiKey: process.env.SEMBLANCE_API_KEY
})

let job = await client.post('/v1/collections/{collection}/reindex', {
  params: { path: { collection } },
  body: { ...(model && { model }) }
})
for await (job of client.events(job.id))
  console.log(`${job.state}: ${job.progress.done} of ${job.progress.total} records with ${job.model}`)
if (job.state !== 'done') throw new Error(job.error?.message ?? `The job was ${job.state}.`)
