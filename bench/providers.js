// Runs towers on an execution provider and on the CPU: cosine of the embeddings, which provider took the
// nodes, and images (texts) a second of both in one run. Towers: models/mini, and one the size of a ViT-B/32
// with random weights, which bench/vit-b32.py makes.
//
//   npm run build && node bench/providers.js webgpu,cpu [--batch 8] [--runs 5] [--vit]
//
// WebGPU without a GPU, on the software Vulkan of Debian's chromium (packages chromium and libvulkan1):
//   XDG_RUNTIME_DIR=/tmp VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json \
//     node bench/providers.js webgpu,cpu

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cosine } from '../dist/encoder/embedding.js'
import { loadModelPackage } from '../dist/encoder/model-package.js'
import { openImageTower, openTextTower } from '../dist/encoder/tower.js'

process.env.ORT_DISABLE_TELEMETRY = '1'
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    batch: { type: 'string', default: '8' },
    runs: { type: 'string', default: '5' },
    vit: { type: 'boolean', default: false },
    device: { type: 'string', default: '0' }
  }
})
const providers = (positionals[0] ?? 'cpu').split(',')
const [batch, runs, deviceId] = [values.batch, values.runs, values.device].map(Number)

const folders = [fileURLToPath(new URL('../models/mini', import.meta.url))]
if (values.vit) folders.push(vitB32())
console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores; batch ${batch}, best of ${runs} runs; cpu with ` +
    `${availableParallelism()} threads of ONNX Runtime`
)
console.log(
  '| model | tower | asked for | ran on | nodes | least cosine to cpu | inputs/s | cpu inputs/s | ' +
    'ratio |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |'
)
let isSame = true
for (const folder of folders) {
  const model = await loadModelPackage(folder)
  await compare(model, 'image', openImageTower, imageInputs(model))
  await compare(
    model,
    'text',
    (...args) =>
      openTextTower(...args).then((tower) => ({
        ...tower,
        run: (sequences) => tower.run(sequences, { id: model.text.padId, toMax: false })
      })),
    textInputs(model)
  )
}
if (!isSame) {
  console.error("Some embeddings differ from the CPU's: a cosine under 0.999.")
  process.exitCode = 1
}

async function compare(model, name, open, inputs) {
  const threads = availableParallelism()
  const onCpu = await measure(await open(model, { threads, executionProviders: ['cpu'], deviceId }), inputs)
  const asked = await measure(await open(model, { threads, executionProviders: providers, deviceId }), inputs)
  const least = Math.min(...asked.embeddings.map((embedding, i) => cosine(embedding, onCpu.embeddings[i])))
  isSame &&= least >= 0.999
  const nodes = Object.entries(asked.execution.nodes)
    .map(([provider, count]) => `${provider} ${count}`)
    .join(', ')
  console.log(
    `| ${model.name} | ${name} | ${providers.join()} | ${asked.execution.provider} | ${nodes} | ` +
      `${least.toFixed(6)} | ${asked.rate.toFixed(1)} | ${onCpu.rate.toFixed(1)} | ` +
      `${(asked.rate / onCpu.rate).toFixed(2)} |`
  )
}

async function measure(tower, inputs) {
  const embeddings = await tower.run(inputs)
  const execution = await tower.execution()
  let best = Infinity
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now()
    await tower.run(inputs)
    best = Math.min(best, performance.now() - startedAt)
  }
  await tower.release()
  return { embeddings, execution, rate: inputs.length / (best / 1000) }
}

function imageInputs({ preprocessing: { crop } }) {
  let state = 1
  const noise = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24
  return Array.from({ length: batch }, () => Uint8Array.from({ length: 3 * crop.width * crop.height }, noise))
}

function textInputs() {
  return Array.from({ length: batch }, (_, row) =>
    Int32Array.from({ length: 12 }, (_, i) => (i === 11 ? 8191 : 300 + ((row * 37 + i * 11) % 7000)))
  )
}

function vitB32() {
  const folder = join(tmpdir(), 'semblance-vit-b32')
  if (!existsSync(join(folder, 'onnx/text_model.onnx')))
    execFileSync('/usr/bin/python3', [fileURLToPath(new URL('./vit-b32.py', import.meta.url)), folder], {
      stdio: 'inherit'
    })
  return folder
}
