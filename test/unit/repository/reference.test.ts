import { readFile, readdir } from 'node:fs/promises'
import t from 'tap'
import { referencePages } from '../../../scripts/reference.js'

t.test('docs/reference is what the code says (npm run reference writes it)', async (t) => {
  const folder = new URL('../../../docs/reference/', import.meta.url)
  const pages = await referencePages()
  t.same((await readdir(folder)).sort(), Object.keys(pages).sort())
  for (const [name, text] of Object.entries(pages))
    t.equal(await readFile(new URL(name, folder), 'utf8'), text, name)
  t.match(pages['configuration.md'], /^\| `PORT` \| `8080` \| 0, 65535 \|/m)
  t.match(pages['command-line.md'], /^## semblance models pull$/m)
  t.match(pages['metrics.md'], /^\| `semblance_collection_vectors` \| gauge \| `collection`, `modality` \|/m)
  t.match(pages['errors.md'], /^\| 404 \| `COLLECTION_NOT_FOUND` \|/m)
  t.match(pages['api.md'], /`POST \/v1\/zero-shot`/)
})
