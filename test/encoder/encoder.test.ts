import { readFile } from 'node:fs/promises'
import t from 'tap'
import { cosine } from '../../src/encoder/embedding.js'
import { miniEncoder, miniFolder } from '../fixtures/mini.js'

const golden = JSON.parse(await readFile(`${miniFolder}/golden.json`, 'utf8')) as {
  texts: { text: string; input_ids: number[]; embedding: number[] }[]
  images: { file: string; embedding: number[] }[]
}

t.test('embeddings of the golden texts and pictures are the reference implementation\'s', async (t) => {
  const encoder = await miniEncoder(t)
  for (const { text, embedding } of golden.texts) {
    const similarity = cosine(await encoder.encodeText(text), Float32Array.from(embedding))
    t.ok(similarity >= 0.9999, `'${text.slice(0, 30)}' has cosine ${similarity.toFixed(6)}`)
  }
  for (const { file, embedding } of golden.images) {
    const similarity = cosine(await encoder.encodeImage(await readFile(`${miniFolder}/${file}`)), Float32Array.from(embedding))
    t.ok(similarity >= 0.999, `${file} has cosine ${similarity.toFixed(6)}`)
  }
})
