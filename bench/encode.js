// Images and texts a second: the service over HTTP beside what ONNX Runtime gives alone, and beside
// @huggingface/transformers over the same files. All in one run, in rounds; ratios are medians of a round's
// own.
//
//   npm run build && npm ci --prefix bench/peers
//   npm run bench:encode -- [--model mini|vit-b32|FOLDER] [--rounds 3] [--seconds 8] [--large] [--no-peer]
//
// vit-b32 is a tower of that shape with random weights, which bench/vit-b32.py makes (Debian's python3-torch
// and python3-onnx): cost does not depend on values. --large takes pictures of 12 megapixels in place of
// 640x480.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { closedLoop, median, percentile } from './load.js'
import { makePhotos, makeTexts } from './photos.js'
import { report } from './report.js'
import { startService } from './service.js'

process.env.ORT_DISABLE_TELEMETRY = '1'
const { values } = parseArgs({
  allowNegative: true,
  options: {
    model: { type: 'string', default: 'mini' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    large: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: true }
  }
})
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder =
  values.model === 'vit-b32'
    ? vitB32()
    : values.model === 'mini'
      ? here('../models/mini')
      : resolve(values.model)
const cores = availableParallelism()
const PATH = '/v1/embeddings'

const photos = values.large
  ? await makePhotos(4, { width: 4000, height: 3000 })
  : await makePhotos(32, { width: 640, height: 480 })
const texts = makeTexts(4096)
const kilobytes = Math.round(photos.reduce((sum, { length }) => sum + length, 0) / photos.length / 1024)
/**
 * No two requests in flight are for the same picture, which would be encoded once: what follows a JPEG's end
 * changes nothing.
 */
const pictures = Array.from({ length: 96 }, (_, n) =>
  Buffer.concat([photos[n % photos.length], Buffer.from(`picture ${n}`)])
)
const bodies = {
  image: pictures.map((bytes) =>
    JSON.stringify({ input: { image: { base64: bytes.toString('base64') } }, encoding_format: 'base64' })
  ),
  text: texts.map((input) => JSON.stringify({ input, encoding_format: 'base64' }))
}

/** Inputs a second of loops in threads of their own. */
async function rawLoops(count, settings) {
  const workers = Array.from(
    { length: count },
    () =>
      new Worker(here('./raw-loop.js'), {
        workerData: { folder, seconds, photos, texts, batch: 1, threads: 1, ...settings }
      })
  )
  const next = (worker) => new Promise((done, fail) => worker.once('message', done).once('error', fail))
  await Promise.all(workers.map(next))
  const rates = workers.map(next)
  for (const worker of workers) worker.postMessage('go')
  const total = (await Promise.all(rates)).reduce((a, b) => a + b, 0)
  await Promise.all(workers.map((worker) => worker.terminate()))
  return total
}

/** The best of batches and threads of one loop over ready tensors. */
async function sweep(input) {
  let best = { rate: 0 }
  for (const threads of new Set([1, cores])) {
    for (const batch of [1, 4, 8, 16, 32]) {
      const rate = await rawLoops(1, { input, batch, threads, seconds: Math.min(seconds, 4) })
      if (rate > best.rate) best = { rate, batch, threads }
    }
  }
  return best
}

async function startPeer() {
  const child = spawn(process.execPath, [here('./peers/transformers.js'), folder], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  let url
  while (!(url = /listening at (\S+)/.exec(output)?.[1])) {
    if (child.exitCode !== null) throw new Error('The peer ended; npm ci --prefix bench/peers installs it.')
    await sleep(20)
  }
  return { url, stop: () => child.kill() }
}

function peerAlone() {
  const input =
    JSON.stringify({ photos: photos.map((bytes) => bytes.toString('base64')), texts: texts.slice(0, 512) }) +
    '\n'
  return JSON.parse(
    execFileSync(process.execPath, [here('./peers/transformers.js'), folder, String(seconds)], {
      input,
      encoding: 'utf8',
      maxBuffer: 2 ** 26
    })
  )
}

const limits = { image: await sweep('image'), text: await sweep('text') }
console.log(
  `${folder}: pictures of ${kilobytes} KiB; limits found: images ${JSON.stringify(limits.image)}, ` +
    `texts ${JSON.stringify(limits.text)}`
)
const seen = {}
const note = (name, value) => (seen[name] ??= []).push(value)
const load = (url, input, connections) =>
  closedLoop(url, { path: PATH, bodies: bodies[input], connections, seconds })

for (let round = 0; round < rounds; round++) {
  // Each stands alone while it is measured, and loads its towers again: none profits from the order.
  for (const input of ['image', 'text']) note(`raw ${input}`, await rawLoops(1, { input, ...limits[input] }))
  note('raw text padded', await rawLoops(1, { input: 'text', ...limits.text, padded: true }))
  note('raw photo', await rawLoops(cores, { input: 'photo' }))
  // Each request is to cost what a new input costs.
  await measure('service', await startService({ MODEL: folder, EMBEDDING_CACHE_MIB: '0' }))
  if (values.peer) {
    await measure('peer', await startPeer())
    const alone = peerAlone()
    for (const input of ['image', 'text']) note(`peer alone ${input}`, alone[input])
  }
}

async function measure(name, { url, stop }) {
  for (const input of ['image', 'text']) {
    await closedLoop(url, { path: PATH, bodies: bodies[input], connections: 8, seconds: 2 })
    for (const connections of [1, 8, 32]) {
      const { rate, latencies } = await load(url, input, connections)
      note(`${name} ${input} ${connections}`, rate)
      note(`${name} ${input} ${connections} p50`, median(latencies))
      note(`${name} ${input} ${connections} p99`, percentile(latencies, 0.99))
    }
  }
  await stop()
}

const of = (name) => median(seen[name])
const ratio = (a, b) => median(seen[a].map((value, round) => value / seen[b][round]))
const digits = (value) => Number(value.toPrecision(3))
const rows = []
const row = (input, name, rate, more = {}) => rows.push({ input, name, 'a second': digits(rate), ...more })
for (const input of ['image', 'text']) {
  row(
    input,
    `ONNX Runtime alone, batch ${limits[input].batch}, ${limits[input].threads} threads`,
    of(`raw ${input}`)
  )
  if (input === 'text')
    row(input, `ONNX Runtime alone, texts padded to the longest that the model takes`, of('raw text padded'))
  if (input === 'image') row(input, `decode, preprocess, run: ${cores} loops`, of('raw photo'))
  for (const name of ['service', ...(values.peer ? ['peer'] : [])]) {
    for (const connections of [1, 8, 32]) {
      const key = `${name} ${input} ${connections}`
      row(input, `${name === 'peer' ? 'transformers.js route' : name}, ${connections} connections`, of(key), {
        'p50 ms': digits(of(`${key} p50`)),
        'p99 ms': digits(of(`${key} p99`)),
        'of the limit': digits(ratio(key, `raw ${input}`))
      })
    }
  }
  if (values.peer)
    row(input, 'transformers.js alone', of(`peer alone ${input}`), {
      'of the limit': digits(ratio(`peer alone ${input}`, `raw ${input}`))
    })
}
const ratios = [
  {
    ratio: 'images, 32 connections, to ONNX Runtime alone',
    value: digits(ratio('service image 32', 'raw image'))
  },
  {
    ratio: 'images, 32 connections, to decode + preprocess + run on all cores',
    value: digits(ratio('service image 32', 'raw photo'))
  },
  {
    ratio: 'texts, 32 connections, to ONNX Runtime alone',
    value: digits(ratio('service text 32', 'raw text'))
  },
  {
    ratio: 'texts, 32 connections, to ONNX Runtime alone with padding',
    value: digits(ratio('service text 32', 'raw text padded'))
  }
]
if (values.peer) {
  for (const input of ['image', 'text']) {
    ratios.push({
      ratio: `${input}s, 32 connections, to the transformers.js route`,
      value: digits(ratio(`service ${input} 32`, `peer ${input} 32`))
    })
    ratios.push({
      ratio: `${input} p50, 1 connection, to the transformers.js route`,
      value: digits(ratio(`service ${input} 1 p50`, `peer ${input} 1 p50`))
    })
  }
}
report(
  `encode-${values.model.split('/').at(-1)}${values.large ? '-large' : ''}`,
  { rates: rows, ratios },
  { rounds, seconds, kilobytes, limits, seen }
)

function vitB32() {
  const made = join(tmpdir(), 'semblance-vit-b32')
  if (!existsSync(join(made, 'onnx/text_model.onnx')))
    execFileSync('/usr/bin/python3', [here('./vit-b32.py'), made], { stdio: 'inherit' })
  return made
}
