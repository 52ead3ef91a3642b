// Searches a collection by words, or by a picture where a file of that name is there.
//   node examples/search.js a slice of pizza
//   node examples/search.js --collection pets --limit 3 rex.jpg
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createClient, imageOf } from 'semblance/client'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { collection: { type: 'string', default: 'emoji' }, limit: { type: 'string', default: '5' } }
})
if (positionals.length === 0)
  throw new Error('What is searched for? node examples/search.js a slice of pizza')
const client = createClient({
  url: process.env.SEMBLANCE_URL ?? 'http://localhost:8080',
  apiKey: process.env.SEMBLANCE_API_KEY
})

const words = positionals.join(' ')
const { matches, took_ms } = await client.post('/v1/collections/{collection}/search', {
  params: { path: { collection: values.collection } },
  body: {
    query: existsSync(words) ? { image: await imageOf(readFileSync(words)) } : { text: words },
    limit: Number(values.limit)
  },
  signal: AbortSignal.timeout(30_000)
})
for (const { id, score, text } of matches) console.log(`${score.toFixed(3)}  ${id}  ${text ?? ''}`)
console.log(`${matches.length} matches in ${took_ms.total.toFixed(0)} ms`)
