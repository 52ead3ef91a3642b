// The limit that services are held against, in a thread of its own: ONNX Runtime over tensors that are ready,
// or decoding, preprocessing and running one picture after another, with nothing around it.
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { decodeImage } from '../dist/encoder/decode-image.js'
import { loadModelPackage } from '../dist/encoder/model-package.js'
import { neededSize, preprocess } from '../dist/encoder/preprocess.js'
import { pixelValues } from '../dist/encoder/tensors.js'
import { loadTokenizer } from '../dist/encoder/tokenizer.js'

const {
  folder,
  input,
  batch,
  threads,
  seconds,
  photos,
  texts,
  padded = false,
  limits = { maxPixels: 64e6 }
} = workerData
const model = await loadModelPackage(folder)
const session = await InferenceSession.create(input === 'text' ? model.towers.text : model.towers.image, {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3
})
const { preprocessing } = model
const { width, height } = preprocessing.crop

async function crop(bytes) {
  return preprocess(await decodeImage(bytes, limits, neededSize(preprocessing)), preprocessing).data
}

function pixels(crops) {
  const { data, shape } = pixelValues(crops, { type: 'float32' }, { rows: crops.length, preprocessing })
  return { [session.inputNames[0]]: new Tensor('float32', data, shape) }
}

async function ids() {
  const { tokenize, padId } = await loadTokenizer(model, model.text.maxTokens)
  const sequences = Array.from({ length: batch }, (_, n) => tokenize(texts[n]))
  const length = padded ? model.text.maxTokens : Math.max(...sequences.map((sequence) => sequence.length))
  const values = BigInt64Array.from(
    sequences.flatMap((sequence) => [...sequence, ...Array(length - sequence.length).fill(padId)]),
    BigInt
  )
  const feeds = { [session.inputNames[0]]: new Tensor('int64', values, [batch, length]) }
  if (session.inputNames.includes('attention_mask'))
    feeds.attention_mask = new Tensor('int64', new BigInt64Array(batch * length).fill(1n), [batch, length])
  return feeds
}

const ready =
  input === 'text'
    ? await ids()
    : pixels(Array.from({ length: batch }, () => new Uint8Array(3 * width * height).fill(120)))
let sent = 0
const step = {
  text: () => session.run(ready),
  image: () => session.run(ready),
  photo: async () => session.run(pixels([await crop(photos[sent++ % photos.length])]))
}[input]
await step()
parentPort.postMessage('ready')
parentPort.once('message', async () => {
  const startedAt = performance.now()
  let count = 0
  while (performance.now() - startedAt < seconds * 1000) {
    await step()
    count += input === 'photo' ? 1 : batch
  }
  parentPort.postMessage(count / ((performance.now() - startedAt) / 1000))
})
