// Says which of some labels fits a picture best.
//   node examples/zero-shot.js rex.jpg dog cat 'polar bear'
import { readFile } from 'node:fs/promises'
import { createClient, imageOf } from 'semblance/client'

const [picture, ...labels] = process.argv.slice(2)
if (labels.length < 2) throw new Error('node examples/zero-shot.js <picture> <label> <label> ...')
const client = createClient({
  url: process.env.SEMBLANCE_URL ?? 'http://localhost:8080',
  apiKey: process.env.SEMBLANCE_API_KEY
})

const answer = await client.post('/v1/zero-shot', {
  body: { image: await imageOf(await readFile(picture)), labels, templates: 'simple' }
})
for (const { label, score, similarity } of answer.labels)
  console.log(`${(100 * score).toFixed(1).padStart(5)} %  ${label} (similarity ${similarity.toFixed(3)})`)
