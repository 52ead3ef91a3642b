// Pixels and embeddings of models/mini after our preprocessing, against Pillow's: a table by size, kind of
// file, resize and filter. Needs Debian's python3-pil and python3-numpy.
//
//   npm run build && node bench/pillow-parity.js

import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeImage } from '../dist/encoder/decode-image.js'
import { cosine } from '../dist/encoder/embedding.js'
import { loadModelPackage } from '../dist/encoder/model-package.js'
import { preprocess } from '../dist/encoder/preprocess.js'
import { openImageTower } from '../dist/encoder/tower.js'

process.env.ORT_DISABLE_TELEMETRY = '1'
const SIZE = 224
const folder = await mkdtemp(join(tmpdir(), 'semblance-pillow-'))
execFileSync('/usr/bin/python3', [fileURLToPath(new URL('./pillow-parity.py', import.meta.url)), folder], {
  stdio: 'inherit'
})
const model = await loadModelPackage(fileURLToPath(new URL('../models/mini', import.meta.url)))
const tower = await openImageTower(model, { threads: 1, executionProviders: ['cpu'], deviceId: 0 })

console.log(
  '| size | file | resize | filter | mean absolute difference | largest | cosine |\n| --- | --- | --- ' +
    '| --- | --- | --- | --- |'
)
let least = 1
for (const { file, size, kind, mode, filter, prepared } of JSON.parse(
  await readFile(join(folder, 'list.json'), 'utf8')
)) {
  const resize = mode === 'squash' ? { mode, width: SIZE, height: SIZE } : { mode, size: SIZE }
  const pixels = await decodeImage(await readFile(join(folder, file)), { maxPixels: 64e6 })
  const { data: ours } = preprocess(pixels, {
    ...model.preprocessing,
    resize,
    filter,
    crop: { width: SIZE, height: SIZE },
    cropOffset: 'floor'
  })
  const pillow = await readFile(join(folder, prepared))
  const differences = Array.from(ours, (value, i) => Math.abs(value - pillow[i]))
  const [a, b] = await tower.run([ours, new Uint8Array(pillow)])
  least = Math.min(least, cosine(a, b))
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length
  console.log(
    `| ${size} | ${kind} | ${mode} | ${filter} | ${mean.toFixed(4)} | ` +
      `${differences.reduce((x, y) => Math.max(x, y), 0)} | ${cosine(a, b).toFixed(6)} |`
  )
}
console.log(`least cosine ${least.toFixed(6)}`)
await tower.release()
await rm(folder, { recursive: true })
if (least < 0.999) process.exitCode = 1
