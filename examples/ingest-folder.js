// Adds the pictures of a folder to a collection, with their folder as metadata. Again it replaces them.
//   node examples/ingest-folder.js pictures holiday
import { openAsBlob } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { createClient, SemblanceError } from 'semblance/client'

const [folder, collection] = process.argv.slice(2)
if (!collection) throw new Error('node examples/ingest-folder.js <folder> <collection>')
const client = createClient({
  url: process.env.SEMBLANCE_URL ?? 'http://localhost:8080',
  apiKey: process.env.SEMBLANCE_API_KEY
})

await client.put('/v1/collections/{collection}', { params: { path: { collection } }, body: {} })
const pictures = (await readdir(folder, { recursive: true }))
  .filter((path) => /\.(avif|gif|jpe?g|png|webp)$/i.test(path))
  .sort()
const counts = { created: 0, updated: 0, failed: 0 }

async function add(path) {
  // An id of its own lets the client send a picture again whose answer was lost.
  const id = path.split(sep).join('/')
  const result = await client.upload(collection, {
    id,
    image: await openAsBlob(join(folder, path)),
    filename: id,
    metadata: { folder: dirname(id) }
  })
  counts[result.status]++
  if (result.error) console.error(`${id}: ${result.error.message}`)
}

// A few at a time: the service makes batches of what is there at once.
const rest = pictures.values()
const senders = Array.from({ length: 4 }, async () => {
  for (const path of rest) {
    await add(path).catch((error) => {
      // A picture that can't be taken is no reason to stop; a service that can't be reached is.
      if (!(error instanceof SemblanceError) || ![400, 413, 415, 422].includes(error.status)) throw error
      counts.failed++
      console.error(`${path}: ${error.message}`)
    })
  }
})
await Promise.all(senders)
console.log(`${counts.created} created, ${counts.updated} updated, ${counts.failed} failed`)
