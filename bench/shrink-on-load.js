// What shrinking a large JPEG while it is decoded costs in cosine, and saves in time, against decoding it
// whole.
//   npm run build && node bench/shrink-on-load.js [--model FOLDER]
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { decodeImage } from '../dist/encoder/decode-image.js'
import { cosine } from '../dist/encoder/embedding.js'
import { loadModelPackage } from '../dist/encoder/model-package.js'
import { neededSize, preprocess } from '../dist/encoder/preprocess.js'
import { openImageTower } from '../dist/encoder/tower.js'
import { median } from './load.js'
import { makePhotos } from './photos.js'
import { report } from './report.js'

process.env.ORT_DISABLE_TELEMETRY = '1'
const { values } = parseArgs({
  options: { model: { type: 'string', default: fileURLToPath(new URL('../models/mini', import.meta.url)) } }
})
const model = await loadModelPackage(values.model)
const tower = await openImageTower(model, { threads: 1, executionProviders: ['cpu'], deviceId: 0 })
const limits = { maxPixels: 64e6 }
const SIZES = [
  [4000, 3000],
  [3001, 2203],
  [2017, 3011],
  [2688, 2017]
]

async function embed(jpeg, needed) {
  const startedAt = performance.now()
  const crop = preprocess(await decodeImage(jpeg, limits, needed), model.preprocessing)
  const ms = performance.now() - startedAt
  return { ms, embedding: (await tower.run([crop.data]))[0] }
}

const photos = await makePhotos(8, { width: 1280, height: 960 })
const rows = []
for (const [width, height] of SIZES) {
  const [cosines, whole, shrunk] = [[], [], []]
  for (const photo of photos) {
    const jpeg = await sharp(photo)
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .jpeg({ quality: 90 })
      .toBuffer()
    const [full, part] = [await embed(jpeg), await embed(jpeg, neededSize(model.preprocessing))]
    cosines.push(cosine(full.embedding, part.embedding))
    whole.push(full.ms)
    shrunk.push(part.ms)
  }
  rows.push({
    size: `${width} x ${height}`,
    'least cosine': Number(Math.min(...cosines).toFixed(5)),
    'whole ms': Number(median(whole).toFixed(1)),
    'shrunk ms': Number(median(shrunk).toFixed(1)),
    ratio: Number(median(whole.map((ms, i) => shrunk[i] / ms)).toFixed(2))
  })
}
await tower.release()
report('shrink-on-load', { 'decode and preprocess': rows })
