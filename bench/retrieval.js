// Retrieval and zero-shot quality over HTTP, on a folder with photos/, captions.json (COCO format) and
// classes/<label>/.
// node bench/retrieval.js --url http://localhost:8080 --dataset <folder>
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { url: { type: 'string', default: 'http://localhost:8080' }, dataset: { type: 'string' } }
})
const { url, dataset } = values
const K = 10

async function call(path, body, method = 'POST') {
  const isForm = body instanceof FormData
  const response = await fetch(`${url}/v1${path}`, {
    method,
    ...(body && {
      body: isForm ? body : JSON.stringify(body),
      ...(!isForm && { headers: { 'content-type': 'application/json' } })
    })
  })
  const answer = response.status === 204 ? undefined : await response.json()
  if (!response.ok && response.status !== 404) throw new Error(`${path}: ${JSON.stringify(answer)}`)
  return answer
}

const base64 = async (path) => (await readFile(path)).toString('base64')
const chunks = (list, size) =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
const mean = (list) => list.reduce((a, b) => a + Number(b), 0) / list.length

const { images, annotations } = JSON.parse(await readFile(join(dataset, 'captions.json'), 'utf8'))
const collection = '/collections/retrieval-bench'
await call(collection, undefined, 'DELETE')
await call(collection, {}, 'PUT')
const photos = await Promise.all(
  images.map(async ({ id, file_name: file }) => ({
    id: `photo-${id}`,
    image: { base64: await base64(join(dataset, 'photos', file)) }
  }))
)
const captions = annotations.map(({ id, caption }) => ({ id: `caption-${id}`, text: caption }))
for (const records of [...chunks(photos, 64), ...chunks(captions, 256)]) {
  const { results } = await call(`${collection}/records`, { records })
  const failed = results.filter(({ status }) => status === 'failed')
  if (failed.length > 0) throw new Error(JSON.stringify(failed))
}

const rows = []
for (const exact of [true, false]) {
  const toImage = await Promise.all(
    annotations.map(async ({ image_id: image, caption }) => {
      const { matches } = await call(`${collection}/search/text-to-image`, { text: caption, limit: K, exact })
      return matches.some(({ id }) => id === `photo-${image}`)
    })
  )
  const toText = await Promise.all(
    images.map(async ({ id: image }, i) => {
      const { matches } = await call(`${collection}/search/image-to-text`, {
        image: photos[i].image,
        limit: K,
        exact
      })
      const own = new Set(
        annotations.filter((annotation) => annotation.image_id === image).map(({ id }) => `caption-${id}`)
      )
      return matches.some(({ id }) => own.has(id))
    })
  )
  rows.push({
    search: exact ? 'exact' : 'HNSW',
    [`text-to-image recall@${K}`]: mean(toImage).toFixed(4),
    [`image-to-text recall@${K}`]: mean(toText).toFixed(4)
  })
}
console.log(`${images.length} photos, ${annotations.length} captions`)
console.table(rows)
await call(collection, undefined, 'DELETE')

const labels = await readdir(join(dataset, 'classes'))
for (const templates of [undefined, 'simple', 'imagenet-7', 'imagenet-80']) {
  const right = []
  for (const label of labels) {
    for (const file of await readdir(join(dataset, 'classes', label))) {
      const image = { base64: await base64(join(dataset, 'classes', label, file)) }
      const answer = await call('/zero-shot', { image, labels, ...(templates && { templates }), top_k: 1 })
      right.push(answer.labels[0].label === label)
    }
  }
  console.log(
    `zero-shot top-1 of ${labels.length} labels, ${right.length} images, templates ` +
      `${templates ?? 'default'}: ${mean(right).toFixed(4)}`
  )
}
