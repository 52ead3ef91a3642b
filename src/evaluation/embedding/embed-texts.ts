import { setImmediate as breathe } from 'node:timers/promises'
import { sharedKey } from '../../threading/shared-key.js'
import type { Encoder } from '../../encoder/encoder.js'
import type { Rows } from './embedder.js'
import { encodeWhenThereIsRoom } from './encode-when-there-is-room.js'
import { forEachConcurrently } from './for-each-concurrently.js'
import { textKey, type KeptEmbeddings } from './kept-embeddings.js'
import { sharedRows } from './shared-rows.js'

interface TextWork {
  encoder: Encoder
  kept: KeptEmbeddings
  signal?: AbortSignal
  sharing?: string
  /** Told how many more texts have their rows. */
  onProgress: (more: number) => void
}

/** Chunks of texts that are encoded at a time: enough for two batches of a GPU. */
const CHUNKS_AT_ONCE = 4
const CHUNK = 128
/** Look-ups after which other work has its turn. */
const LOOKUPS_IN_A_ROW = 256

/** A row a text, in their order. Equal texts are encoded once, and those of like length together. */
export async function embedTexts(
  texts: string[],
  { encoder, kept, signal, sharing, onProgress }: TextWork
): Promise<Rows> {
  const { dimension } = encoder
  const rows = sharedRows(texts.length, dimension)
  const places = new Map<string, number[]>()
  for (const [i, text] of texts.entries()) {
    const at = places.get(text)
    if (at) at.push(i)
    else places.set(text, [i])
  }
  const place = (text: string, embedding: Float32Array) => {
    const at = places.get(text)!
    for (const i of at) rows.values.set(embedding, i * dimension)
    onProgress(at.length)
  }
  const missing: string[] = []
  for (const [i, text] of [...places.keys()].entries()) {
    if (i % LOOKUPS_IN_A_ROW === 0) await breathe()
    signal?.throwIfAborted()
    const before = kept.get(sharedKey(textKey(text), sharing))
    if (before) place(text, before)
    else missing.push(text)
  }
  missing.sort((a, b) => a.length - b.length)
  const chunks = Array.from({ length: Math.ceil(missing.length / CHUNK) }, (_, i) =>
    missing.slice(i * CHUNK, (i + 1) * CHUNK)
  )
  await forEachConcurrently(chunks, CHUNKS_AT_ONCE, async (chunk) => {
    signal?.throwIfAborted()
    const embeddings = await encodeWhenThereIsRoom({ encoder, signal, sharing }, (options) =>
      Promise.all(encoder.encodeTexts(chunk, options))
    )
    for (const [i, text] of chunk.entries()) {
      kept.put(sharedKey(textKey(text), sharing), embeddings[i])
      place(text, embeddings[i])
    }
  })
  return rows
}
