// Creates and releases the encoder of models/mini again and again in one process, and prints the resident
// memory after each tenth: a leak of the binding, of its sessions or of the worker threads would grow with
// every round.
//
//   npm run build && node --expose-gc bench/encoder-memory.js [rounds, 50]

import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { createEncoder } from '../dist/encoder/encoder.js'
import { loadModelPackage } from '../dist/encoder/model-package.js'

const rounds = Number(process.argv[2] ?? 50)
const folder = fileURLToPath(new URL('../models/mini', import.meta.url))
const picture = await readFile(`${folder}/golden/alpha.png`)
const model = await loadModelPackage(folder)
const options = {
  executionProviders: ['cpu'],
  strict: false,
  deviceId: 0,
  towerWorkers: availableParallelism(),
  ortThreads: 1,
  imageWorkers: 1,
  imageBatchSize: 4,
  textBatchSize: 32,
  batchDelayMs: 0,
  queueSize: 4096,
  cacheBytes: 0,
  limits: { maxPixels: 64e6 }
}
const MIB = 2 ** 20
const resident = () => {
  globalThis.gc?.()
  return process.memoryUsage().rss / MIB
}

console.log(`round  resident MiB\n${'start'.padStart(5)}  ${resident().toFixed(1).padStart(12)}`)
const measured = []
for (let round = 1; round <= rounds; round++) {
  const encoder = await createEncoder(model, options)
  await Promise.all([
    ...encoder.encodeImages([picture, picture, picture, picture]),
    ...encoder.encodeTexts(['a dog', 'a photo of a slice of pizza'])
  ])
  await encoder.close()
  measured.push(resident())
  if (round === 1 || round % 10 === 0)
    console.log(`${String(round).padStart(5)}  ${measured.at(-1).toFixed(1).padStart(12)}`)
}
// The first rounds fill allocators; a leak shows in the second half, as the slope of the line through it.
const half = measured.slice(Math.floor(rounds / 2))
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
const [x, y] = [mean([...half.keys()]), mean(half)]
const slope =
  half.reduce((sum, value, i) => sum + (i - x) * (value - y), 0) /
  half.reduce((sum, _, i) => sum + (i - x) ** 2, 0)
console.log(`growth over the second half: ${slope.toFixed(2)} MiB a round`)
