// The same work by @huggingface/transformers in one Node process over the same files, as people build it
// today: behind a minimal Fastify route (it prints its address), or alone in a loop.
//   node bench/peers/transformers.js FOLDER            the route
//  node bench/peers/transformers.js FOLDER SECONDS alone: reads {photos, texts} as JSON lines from its input
import { basename, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import {
  AutoProcessor,
  AutoTokenizer,
  CLIPTextModelWithProjection,
  CLIPVisionModelWithProjection,
  env,
  RawImage
} from '@huggingface/transformers'
import Fastify from 'fastify'

const [folder, seconds] = process.argv.slice(2)
env.allowRemoteModels = false
env.localModelPath = dirname(folder)
const name = basename(folder)
const [tokenizer, processor, textModel, visionModel] = await Promise.all([
  AutoTokenizer.from_pretrained(name),
  AutoProcessor.from_pretrained(name),
  CLIPTextModelWithProjection.from_pretrained(name, { dtype: 'fp32' }),
  CLIPVisionModelWithProjection.from_pretrained(name, { dtype: 'fp32' })
])

async function embedText(texts) {
  const { text_embeds: embeds } = await textModel(tokenizer(texts, { padding: true, truncation: true }))
  return embeds.normalize().tolist()
}

async function embedImage(bytes) {
  const image = await RawImage.fromBlob(new Blob([bytes]))
  const { image_embeds: embeds } = await visionModel(await processor(image))
  return embeds.normalize().tolist()
}

if (seconds) await alone(Number(seconds))
else await route()

async function route() {
  const app = Fastify({ bodyLimit: 64 * 2 ** 20 })
  app.post('/v1/embeddings', async ({ body: { input } }) => {
    const [embedding] = input.image
      ? await embedImage(Buffer.from(input.image.base64, 'base64'))
      : await embedText([input])
    return {
      object: 'list',
      data: [
        {
          object: 'embedding',
          index: 0,
          embedding: Buffer.from(Float32Array.from(embedding).buffer).toString('base64')
        }
      ]
    }
  })
  console.log(`listening at ${await app.listen({ port: 0, host: '127.0.0.1' })}`)
}

async function alone(duration) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { photos, texts } = JSON.parse(line)
    const images = photos.map((photo) => Buffer.from(photo, 'base64'))
    const rates = { image: await rate(duration, (n) => embedImage(images[n % images.length])), text: 0 }
    for (const batch of [1, 8, 32])
      rates.text = Math.max(
        rates.text,
        batch *
          (await rate(duration / 3, (n) =>
            embedText(Array.from({ length: batch }, (_, i) => texts[(n * batch + i) % texts.length]))
          ))
      )
    console.log(JSON.stringify(rates))
    return
  }
}

async function rate(duration, step) {
  await step(0)
  const startedAt = performance.now()
  let n = 0
  while (performance.now() - startedAt < duration * 1000) await step(n++)
  return n / ((performance.now() - startedAt) / 1000)
}
